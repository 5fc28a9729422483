// scalelaw: finds the program that does a verb and becomes it; doctor, explain and version are
// done here. No LibTorch, so it starts in milliseconds.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "trainer/cli/doctor.h"
#include "trainer/cli/explain.h"
#include "trainer/cli/schema.h"
#include "trainer/cli/verbs.h"
#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/program_exit.h"
#include "trainer/version.h"

namespace {

using namespace scalelaw;

int become(const Verb& verb, const std::vector<std::string>& arguments) {
  const std::filesystem::path program = own_folder() / verb.program;
  std::vector<std::string> words = {program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // OpenMP's idle threads would spin otherwise and starve whatever shares the cores; it reads this
  // once, at start. What the user has set stays.
  setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
  execv(program.c_str(), argv.data());
  throw std::runtime_error("cannot start " + program.string() + ": " + std::strerror(errno) +
                           (errno == ENOENT ? "; it is not in this build" : ""));
}

// The parsed words of a verb done here; calls `act` unless they ask for help.
template <typename Action>
int parse(CLI::App& app, const std::vector<std::string>& arguments, const Action& act) {
  try {
    // CLI11 takes them last to first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return end_parse(app, error, app.get_name(), arguments);
  }
  return act();
}

int run_doctor(const std::vector<std::string>& arguments) {
  CLI::App app(
      "What works on this machine, what does not, and what to do about it.\n"
      "Ends with 2 where a sweep could not run.\n"
      "Example: scalelaw doctor --runs /scratch/runs",
      "scalelaw doctor");
  DoctorOptions options;
  options.programs = own_folder();
  options.torch = SCALELAW_TORCH_FOLDER;
  options.torch_version = SCALELAW_TORCH_VERSION;
  bool json = false;
  add_folder(app, "--runs", options.runs, "the store of run folders");
  add_folder(app, "--data", options.data, "the folder of data sets");
  app.add_flag("--json", json, "for scripts");
  return parse(app, arguments, [&] {
    const std::vector<Finding> findings = examine(options);
    std::cout << (json ? to_json(findings) + "\n" : to_text(findings));
    return can_run_sweeps(findings) ? kExitComplete : kExitBadInput;
  });
}

int run_explain(const std::vector<std::string>& arguments) {
  CLI::App app(
      "A key of the configuration, the keys of a group, or all of them.\n"
      "Examples: scalelaw explain train.learning_rate; scalelaw explain train.optimizer\n"
      "          scalelaw explain --schema > sweep.schema.json",
      "scalelaw explain");
  std::string key;
  bool schema = false;
  CLI::Option* named = app.add_option("KEY", key, "a key or the beginning of keys");
  app.add_flag("--schema", schema,
               "JSON Schema of a sweep file, with which an editor completes and checks it")
      ->excludes(named);
  return parse(app, arguments, [&] {
    std::cout << (schema ? sweep_file_schema() : explain(config_keys(), key));
    return kExitComplete;
  });
}

int run_version(const std::vector<std::string>& arguments) {
  CLI::App app(
      "Which scalelaw this is: version, git commit, LibTorch it was built with.\n"
      "Example: scalelaw version",
      "scalelaw version");
  return parse(app, arguments, [] {
    const BuildVersion version = build_version();
    const std::string_view torch = SCALELAW_TORCH_VERSION;
    std::cout << "scalelaw " << version.program << ", commit " << version.git_commit
              << (version.git_dirty ? " with changes" : "") << ", "
              << (torch.empty() ? "without LibTorch" : "LibTorch " + std::string(torch)) << '\n';
    return kExitComplete;
  });
}

int run(const std::vector<std::string>& arguments) {
  const Dispatch to = dispatch(arguments);
  if (!to.verb->program.empty()) return become(*to.verb, to.arguments);
  if (to.verb->name == "doctor") return run_doctor(to.arguments);
  if (to.verb->name == "explain") return run_explain(to.arguments);
  if (to.verb->name == "version") return run_version(to.arguments);
  std::cout << overview();
  return kExitComplete;
}

// "scalelaw explain"
std::string command_name(const std::vector<std::string>& arguments) {
  const Verb* verb = arguments.empty() ? nullptr : find_verb(arguments[0]);
  return verb == nullptr ? "scalelaw" : "scalelaw " + std::string(verb->name);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return run_main(command_name(arguments), [&] { return run(arguments); });
}
