// `scalelaw data build`: its options.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "trainer/data/builder.h"

namespace scalelaw {

struct BuildArguments {
  BuildOptions options;  // without data_root and command_line
  std::string val = "2%";
  std::string test = "2%";
  std::string split_by = "document";
  std::vector<std::string> weights;  // "SOURCE=NUMBER"
  std::string torch;
};

// The caller adds what all verbs have.
CLI::App* add_build(CLI::App& app, BuildArguments& arguments);

// What was asked for: a set, or each one of `default`. ConfigError names the option and the rule.
std::vector<BuildOptions> build_options(const CLI::App& verb, const BuildArguments& arguments);

}  // namespace scalelaw
