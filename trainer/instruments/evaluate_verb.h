// `scalelaw evaluate`: the loss of weights that are there already, of a run or of a model.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace scalelaw {

struct EvaluateArguments {
  std::string model;
  std::vector<std::string> sets;
  std::string data = "data", device = "auto";
  int64_t tokens = 0;  // of each test split; 0: all that make whole windows
  int threads = 0;
  bool json = false;
};

void add_evaluate(CLI::App& app, EvaluateArguments& arguments);

// Prints a line a set; an exit code. ConfigError: no such model or set, a set of another tokenizer.
int run_evaluate_verb(const EvaluateArguments& arguments);

}  // namespace scalelaw
