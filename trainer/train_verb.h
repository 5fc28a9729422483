// `scalelaw train`: one run, or a pack of runs of one shape, in one process or several.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/attempt_cost.h"

namespace scalelaw {

struct TrainArguments {
  std::vector<std::string> configs, settings;
  std::string runs = "runs", data = "data", device = "auto";
  int threads = 0;
  int processes = 1;
  std::string group = "none";
  int64_t share_memory = 1;
  Company company;
  int64_t most_at_once = 0;  // tokens; 0: any number
};

void add_train(CLI::App& app, TrainArguments& arguments);

// Trains to the end or until it is to stop; an exit code. Logs by spdlog. ConfigError for what
// arguments, configurations or data cannot mean, std::runtime_error where memory does not suffice
// or a disk fails.
int run_train_verb(const TrainArguments& arguments);

}  // namespace scalelaw
