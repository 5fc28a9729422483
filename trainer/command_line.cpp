#include "trainer/command_line.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "trainer/config_error.h"
#include "trainer/nearest.h"
#include "trainer/number.h"
#include "trainer/program_exit.h"

namespace scalelaw {
namespace {

std::string unknown(const std::string& word, std::string_view kind,
                    const std::vector<std::string>& known) {
  const std::string near = nearest(word, known);
  return word + ": no such " + std::string(kind) +
         (near.empty() ? "" : "; did you mean " + near + "?");
}

// Of the program and of the verb that was understood.
std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<const CLI::App*> apps = {&app};
  for (const CLI::App* verb : app.get_subcommands()) apps.push_back(verb);
  std::vector<std::string> names;
  for (const CLI::App* one : apps) {
    for (const CLI::Option* option : one->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

// The word that is neither a verb nor an option, said so; "" when there is none.
std::string typo(const CLI::App& app, const std::vector<std::string>& argv) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands(nullptr)) verbs.push_back(verb->get_name());
  if (!verbs.empty() && !argv.empty() && argv[0].rfind('-', 0) != 0 &&
      std::find(verbs.begin(), verbs.end(), argv[0]) == verbs.end()) {
    return unknown(argv[0], "verb", verbs);
  }
  const std::vector<std::string> options = option_names(app);
  for (const std::string& word : argv) {
    if (word == "--") break;
    const std::string name = word.substr(0, word.find('='));
    if (name.rfind("--", 0) == 0 &&
        std::find(options.begin(), options.end(), name) == options.end()) {
      return unknown(name, "option", options);
    }
  }
  return "";
}

}  // namespace

int end_parse(const CLI::App& app, const CLI::ParseError& error, std::string_view command,
              const std::vector<std::string>& argv) {
  if (error.get_exit_code() == 0) return app.exit(error);
  std::string what = typo(app, argv);
  if (what.empty()) what = error.what();
  what.resize(what.find_last_not_of(".\n ") + 1);
  return end_with_error(
      command, ConfigError(what + " (`" + std::string(command) + " --help` lists what it takes)"));
}

std::filesystem::path own_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

std::filesystem::path folder_value(std::string_view option, const std::string& text) {
  if (text.empty()) throw ConfigError(std::string(option) + " \"\": is empty; . is this folder");
  std::filesystem::path folder;
  for (const std::filesystem::path& part : std::filesystem::path(text)) {
    std::error_code none;
    if (part == ".." && !folder.empty() && !std::filesystem::exists(folder, none)) {
      folder = folder.parent_path();
    } else if (part != "." || folder.empty()) {
      folder /= part;
    }
  }
  return folder.empty() ? "." : folder;
}

int64_t whole_value(std::string_view option, const std::string& text, const WholeRange& range) {
  const std::optional<int64_t> value = range.bytes ? parse_bytes(text) : parse_whole(text);
  if (value && *value >= range.least && *value <= range.most) return *value;
  std::string rule = whole_limit_exceeded(text);
  if (rule.empty()) {
    rule = std::string("must be ") + kWholeNumber + " of at least " + std::to_string(range.least);
    if (range.most < WholeRange{}.most) rule += " and at most " + std::to_string(range.most);
  }
  throw ConfigError(std::string(option) + " " + text + ": " + rule);
}

}  // namespace scalelaw
