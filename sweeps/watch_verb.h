// The verb `watch` of scalelaw-sweep: its part of the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "sweeps/status/watch.h"

namespace scalelaw {

struct WatchArguments {
  std::string every = "2s";
  bool once = false;
};
// The verb, without the options that all verbs have.
CLI::App* add_watch_verb(CLI::App& app, WatchArguments& arguments);
// ConfigError names the option.
WatchOptions watch_options(const WatchArguments& arguments);

}  // namespace scalelaw
