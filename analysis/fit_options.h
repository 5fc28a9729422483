// What the verbs of scalelaw-fit have in common on the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analysis/arm_laws.h"

namespace scalelaw {

struct FitArguments {
  std::vector<std::string> runs;
  std::vector<std::string> bytes;  // "SET=NUMBER"
  std::vector<std::string> maps;   // of tables, as the next two
  std::string where, run_column;
  std::string n_count = "non_embedding", by = "arm", test_set, metric = "nats_per_token", tokens;
  std::vector<std::string> xy;  // "X,Y"
  std::string out = "report";
  uint64_t seed = 1;
  int bootstrap = 2000, threads = 0;
  std::vector<std::string> gain_at;
  std::string equivalent_within;
  bool json = false, list = false;
};

// Which losses, and what N counts.
void add_selection(CLI::App& verb, FitArguments& arguments);
// What a comparison is asked beyond its defaults.
void add_comparison_options(CLI::App& verb, FitArguments& arguments);
// ConfigError names the option and what it takes.
LawOptions options_from(const FitArguments& arguments);

void warn(const std::vector<std::string>& warnings);  // on stderr

}  // namespace scalelaw
