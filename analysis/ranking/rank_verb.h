// scalelaw rank RUNS [--arm NAME] [--tokens D]
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "analysis/fit_options.h"
#include "trainer/program_exit.h"

namespace scalelaw {

class RankVerb {
 public:
  explicit RankVerb(CLI::App& app);  // adds the verb to it, and lives as long
  RankVerb(const RankVerb&) = delete;
  RankVerb& operator=(const RankVerb&) = delete;
  bool asked() const { return verb_->parsed(); }
  Outcome run() const;

 private:
  CLI::App* verb_;
  FitArguments arguments_;
  std::string arm_;
};

}  // namespace scalelaw
