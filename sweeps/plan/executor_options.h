// What the command line leaves open of where a sweep runs: from the file's `executor`, else from
// the profile that --profile or the file names (trainer/profiles.h).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "sweeps/language/sweep_spec.h"
#include "sweeps/plan/plan_options.h"
#include "trainer/profiles.h"

namespace scalelaw {

// Of the verb that was asked for.
struct VerbOptions {
  std::function<bool(const std::string& option)> is_given;  // "--runs"
  // It says where runs are trained; else the store's place alone is taken, since a machine from
  // which one looks at a sweep need not have its device.
  bool has_workers = false;
};

// Fills in `arguments`; `profile` is that of --profile, where it was given. ConfigError as
// read_profiles(), and for a profile that is none of the user's. Without a profile no file is read.
void take_executor(const SweepExecutor& executor, const std::optional<std::string>& profile,
                   const VerbOptions& verb, const EnvironmentOf& environment,
                   PlanArguments& arguments);

}  // namespace scalelaw
