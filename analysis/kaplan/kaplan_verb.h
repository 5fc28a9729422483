// scalelaw kaplan RUNS|TABLE
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fit_options.h"
#include "analysis/kaplan/chain.h"
#include "trainer/program_exit.h"

namespace scalelaw {

class KaplanVerb {
 public:
  explicit KaplanVerb(CLI::App& app);  // adds the verb to it, and lives as long
  KaplanVerb(const KaplanVerb&) = delete;
  KaplanVerb& operator=(const KaplanVerb&) = delete;
  bool asked() const { return verb_->parsed(); }
  Outcome run() const;

 private:
  CurveData data() const;
  ChainOptions options() const;

  CLI::App* verb_;
  FitArguments arguments_;
  std::vector<std::string> maps_;
  std::string arm_, where_, run_column_ = "run", warmup_ = "0", b_crit_, data_law_, reach_ = "2";
};

}  // namespace scalelaw
