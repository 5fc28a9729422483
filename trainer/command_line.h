// How every program reads the numbers of its command line, answers one that asks for help or that
// it cannot read, and where it finds the other programs.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalelaw {

// The exit code. Help goes to stdout and is 0. Anything else is one line on stderr as
// program_exit.h's, which names the nearest verb or option for a typo, and kExitBadInput.
// `command` is what the user typed: "scalelaw train"; `argv` as main's, without the program's name.
int end_parse(const CLI::App& app, const CLI::ParseError& error, std::string_view command,
              const std::vector<std::string>& argv);

// The folder of the running program's file, links followed: the others lie in it too.
std::filesystem::path own_folder();

struct WholeRange {
  int64_t least = 0;
  int64_t most = (int64_t{1} << 53) - 1;  // what parse_whole reads
  bool bytes = false;                     // 2GB and 2MiB, as parse_bytes
};

// What every verb says of --threads.
inline constexpr WholeRange kThreadCounts{0, 1024};
inline constexpr const char* kThreadsHelp = "CPU threads; 0: as OMP_NUM_THREADS says";

// The value of an option: a whole number as in a configuration (20k, 1e3, 2Mi). ConfigError names
// the option, the text and the range.
int64_t whole_value(std::string_view option, const std::string& text, const WholeRange& range);

// The folder that an option names. ConfigError for "", which would be the working directory. Of
// A/../B where there is no A: B, so that nobody makes A on the way.
std::filesystem::path folder_value(std::string_view option, const std::string& text);

// An option ("--runs") that folder_value() reads; its default is what `folder` holds. The
// ConfigError comes out of CLI::App::parse.
template <typename T>
CLI::Option* add_folder(CLI::App& app, const std::string& name, T& folder,
                        const std::string& help) {
  return app
      .add_option_function<std::string>(
          name, [&folder, name](const std::string& text) { folder = folder_value(name, text); },
          help)
      ->type_name("FOLDER")
      ->default_str(std::filesystem::path(folder).string());
}

// An option ("--jobs,-j") that whole_value() reads; its default is what `value` holds. The
// ConfigError comes out of CLI::App::parse.
template <typename T>
CLI::Option* add_whole(CLI::App& app, const std::string& names, T& value, WholeRange range,
                       const std::string& help) {
  if (!std::in_range<T>(range.most)) {
    range.most = static_cast<int64_t>(std::numeric_limits<T>::max());
  }
  const std::string name = names.substr(0, names.find(','));
  return app
      .add_option_function<std::string>(
          names,
          [&value, range, name](const std::string& text) {
            value = static_cast<T>(whole_value(name, text, range));
          },
          help)
      ->type_name("NUMBER")
      ->default_str(std::to_string(value));
}

}  // namespace scalelaw
