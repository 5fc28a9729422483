// How every program answers a command line that asks for help or that it cannot read, and where it
// finds the other programs.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

// The exit code. Help goes to stdout and is 0. Anything else is one line on stderr as
// program_exit.h's, which names the nearest verb or option for a typo, and kExitBadInput.
// `command` is what the user typed: "scalelaw train"; `argv` as main's, without the program's name.
int end_parse(const CLI::App& app, const CLI::ParseError& error, std::string_view command,
              const std::vector<std::string>& argv);

// The folder of the running program's file, links followed: the others lie in it too.
std::filesystem::path own_folder();

}  // namespace scalelaw
