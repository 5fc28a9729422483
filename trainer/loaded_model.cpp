#include "trainer/loaded_model.h"

#include <ATen/ops/from_blob.h>

#include <string>

#include "trainer/config_error.h"

namespace scalelaw {

LoadedModel::LoadedModel(const ModelFiles& files, at::Device device) {
  Execution execution;
  if (files.config.train.precision == Precision::kBFloat16) execution.compute_dtype = at::kBFloat16;
  model_ = make_model(files.shape, execution, arena_);
  const auto& tensors = files.weights.tensors();
  for (const ParameterSpec& spec : arena_.specs()) {
    const auto found = tensors.find(kWeightPrefix + spec.name);
    if (found != tensors.end() && found->second.dtype == "F32" && found->second.shape == spec.shape)
      continue;
    throw ConfigError(files.file.string() + ": " + kWeightPrefix + spec.name +
                      " is not there or not of the shape that config.yaml gives");
  }
  arena_.allocate(1, device);
  const at::Tensor row = arena_.values().select(0, 0).detach();
  for (const ParameterSpec& spec : arena_.specs()) {
    // from_blob wants a mutable pointer; it is only read.
    auto* bytes = const_cast<std::byte*>(tensors.at(kWeightPrefix + spec.name).bytes.data());
    row.narrow(0, spec.offset, spec.numel).copy_(at::from_blob(bytes, {spec.numel}, at::kFloat));
  }
}

}  // namespace scalelaw
