// A model read from its files to be asked, not trained: one replica.
#pragma once

#include <memory>

#include "models/language_model.h"
#include "trainer/model_files.h"

namespace scalelaw {

class LoadedModel {
 public:
  // ConfigError when the weights are not those of the configuration's shape. Products are in the
  // precision that a run was trained in.
  LoadedModel(const ModelFiles& files, at::Device device);

  const LanguageModel& model() const { return *model_; }

 private:
  ParameterArena arena_;
  std::unique_ptr<LanguageModel> model_;
};

}  // namespace scalelaw
