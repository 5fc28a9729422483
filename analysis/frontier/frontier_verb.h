// scalelaw frontier RUNS|CSV
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "analysis/fit_options.h"
#include "analysis/frontier/frontier.h"
#include "analysis/frontier/frontier_table.h"
#include "trainer/program_exit.h"

namespace scalelaw {

class FrontierVerb {
 public:
  explicit FrontierVerb(CLI::App& app);  // adds the verb to it, and lives as long
  FrontierVerb(const FrontierVerb&) = delete;
  FrontierVerb& operator=(const FrontierVerb&) = delete;
  bool asked() const { return verb_->parsed(); }
  Outcome run() const;

 private:
  void add_table_options();
  void add_fit_options();
  bool is_table() const;
  FrontierData data() const;
  FrontierOptions options() const;

  CLI::App* verb_;
  FitArguments arguments_;
  TableReading reading_;
  std::string c_count_ = "exact_causal", arm_, same_size_ = "mean", weights_ = "equal", at_;
  std::string tolerance_ = "5%", huber_delta_ = "0.001", noise_, out_;
};

}  // namespace scalelaw
