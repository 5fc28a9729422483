// What a person would want to be told of settings of a command line (--set).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sweeps/language/sweep_spec.h"
#include "trainer/run_config.h"

namespace scalelaw {

// A cell's configuration, evaluated; ConfigError where it cannot be.
using ResolvePoint = std::function<RunConfig(SweepPoint)>;

// Of settings without which every cell would be the same, and of a horizon in tokens_per_param or
// flops whose cells count differently what it asks for.
std::vector<std::string> setting_warnings(const SweepSpec& spec, const ResolvePoint& resolve);

}  // namespace scalelaw
