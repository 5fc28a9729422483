// The verbs `retry` and `exclude` of scalelaw-sweep: their part of the command line, and what they
// say they did.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/named_cells.h"

namespace scalelaw {

struct MendingArguments {
  std::vector<std::string> only, named;  // of retry, of exclude
  std::string reason;
  RetryOptions retry;
  bool undo = false;
};
// `add_common` adds what all verbs take, the sweep's file among it, which stands before the runs.
using AddOptions = std::function<void(CLI::App*)>;
void add_retry_verb(CLI::App& app, const AddOptions& add_common, MendingArguments& arguments);
void add_exclude_verb(CLI::App& app, const AddOptions& add_common, MendingArguments& arguments);

// A line for each run, and the command that goes on: `sweep_words` are the file and options that
// another command about the sweep takes; without that command, but with the reason, where `run`
// would refuse what was taken in again, by the plan made anew. ConfigError as named_cells.h, and
// where the name is another sweep's.
std::string retry(const Plan& plan, const MendingArguments& arguments,
                  const std::string& sweep_words);
std::string exclude(const Plan& plan, const MendingArguments& arguments,
                    const std::string& sweep_words, const std::function<Plan()>& replan);

}  // namespace scalelaw
