// scalelaw propose RUNS
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "analysis/fit_options.h"
#include "analysis/propose/proposals.h"
#include "trainer/program_exit.h"

namespace scalelaw {

class ProposeVerb {
 public:
  explicit ProposeVerb(CLI::App& app);  // adds the verb to it, and lives as long
  ProposeVerb(const ProposeVerb&) = delete;
  ProposeVerb& operator=(const ProposeVerb&) = delete;
  bool asked() const { return verb_->parsed(); }
  Outcome run() const;

 private:
  ProposeOptions options() const;
  void write(const Proposals& proposals) const;

  CLI::App* verb_;
  FitArguments arguments_;
  std::string out_, flops_, c_count_ = "exact_causal", tolerance_ = "5%";
  int most_ = 10;
};

}  // namespace scalelaw
