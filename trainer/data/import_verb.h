// `scalelaw data import`: its options, and what it prints when it is done.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "trainer/data/import_set.h"

namespace scalelaw {

struct ImportArguments {
  ImportOptions options;  // without data_root and command_line
  std::string val = "2%";
  std::string test = "2%";
  std::string raw_type;
  std::vector<std::string> text_bytes;  // "test=1234567"
};

// The caller adds what all verbs have.
CLI::App* add_import(CLI::App& app, ImportArguments& arguments);

// What was asked for. ConfigError names the option and the rule.
ImportOptions import_options(const CLI::App& verb, const ImportArguments& arguments);

}  // namespace scalelaw
