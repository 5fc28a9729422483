// scalelaw predict RECORD [--register [--incomplete] | --score]
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "analysis/fit_options.h"
#include "trainer/program_exit.h"

namespace scalelaw {

class PredictVerb {
 public:
  explicit PredictVerb(CLI::App& app);  // adds the verb to it, and lives as long
  PredictVerb(const PredictVerb&) = delete;
  PredictVerb& operator=(const PredictVerb&) = delete;
  bool asked() const { return verb_->parsed(); }
  Outcome run() const;

 private:
  void predict() const;
  void score() const;

  CLI::App* verb_;
  FitArguments arguments_;
  std::string record_;
  bool register_ = false, incomplete_ = false, score_ = false;
};

}  // namespace scalelaw
