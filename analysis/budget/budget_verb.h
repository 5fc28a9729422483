// scalelaw budget WORDS… [--gpus …] [--law NAME | --from RUNS]
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "analysis/fit_options.h"
#include "trainer/program_exit.h"

namespace scalelaw {

class BudgetVerb {
 public:
  explicit BudgetVerb(CLI::App& app);  // adds the verb to it, and lives as long
  BudgetVerb(const BudgetVerb&) = delete;
  BudgetVerb& operator=(const BudgetVerb&) = delete;
  bool asked() const { return verb_->parsed(); }
  Outcome run() const;

 private:
  CLI::App* verb_;
  FitArguments fit_;
  std::vector<std::string> words_;
  std::string gpus_, days_, params_, tokens_, flops_, loss_, inference_, unique_;
  std::string utilisation_, price_, law_ = "epoch", arm_;
};

}  // namespace scalelaw
