// scalelaw-data: text and token ids into data sets, and what is in them.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>

#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/data/build_verb.h"
#include "trainer/data/builder.h"
#include "trainer/data/data_report.h"
#include "trainer/data/import_verb.h"
#include "trainer/data/inspection_report.h"
#include "trainer/data/verify.h"
#include "trainer/escaped.h"
#include "trainer/number.h"
#include "trainer/program_exit.h"

namespace scalelaw {
namespace {

struct Arguments {
  std::string data_root = "data";
  bool json = false;
  std::string command_line;
  BuildArguments build;
  ImportArguments import;
  bool quiet = false;
  std::vector<std::string> names;
  int64_t samples = 2;
};

std::string interrupted_message;  // read by a signal's handler

void end_interrupted(int) {
  // A build killed at any moment leaves whole data sets: nothing to be done but to say so.
  const ssize_t ignored =
      ::write(STDERR_FILENO, interrupted_message.data(), interrupted_message.size());
  static_cast<void>(ignored);
  ::_exit(kExitInterrupted);
}

void expect_interrupts(const std::string& data_root, const std::string& name) {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
  interrupted_message = "\nscalelaw data: interrupted; the same command builds " + name +
                        " anew and clears what is left in " +
                        escaped(build_folder(data_root, name).string()) + "\n";
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, end_interrupted);
}

// Makes a set with `make` and says what it is.
template <typename Make>
void run_making(const Arguments& arguments, const std::string& name, const Make& make) {
  expect_interrupts(arguments.data_root, name);
  BuildResult result;
  {
    ProgressPrinter printer(std::cerr, ::isatty(STDERR_FILENO) == 1);
    result = make([&](const BuildProgress& progress) {
      if (!arguments.quiet) printer.show(progress);
    });
  }
  print_result(std::cout, result, arguments.json);
}

int run_build(const Arguments& arguments, const CLI::App& verb) {
  for (BuildOptions& options : build_options(verb, arguments.build)) {
    options.data_root = arguments.data_root;
    options.command_line = arguments.command_line;
    run_making(arguments, options.name,
               [&](const auto& progress) { return build_data_set(options, progress); });
  }
  return kExitComplete;
}

int run_import(const Arguments& arguments, const CLI::App& verb) {
  ImportOptions options = import_options(verb, arguments.import);
  options.data_root = arguments.data_root;
  options.command_line = arguments.command_line;
  run_making(arguments, options.name,
             [&](const auto& progress) { return import_tokens(options, progress); });
  return kExitComplete;
}

// Acts on each set; one that is damaged is named, and the others are not hidden behind it.
template <typename Action>
int for_each_set(const Arguments& arguments, const std::vector<std::string>& names,
                 const Action& action) {
  int exit_code = kExitComplete;
  for (const std::string& name : names) {
    try {
      action(name, open_data_set(arguments.data_root, name));
    } catch (const std::runtime_error& error) {
      const int of_this = end_with_error("scalelaw data", error);
      if (exit_code != kExitOther) exit_code = of_this;
    }
  }
  return exit_code;
}

int run_inspect(const Arguments& arguments) {
  return for_each_set(arguments, arguments.names, [&](const auto&, const DataSetInfo& set) {
    const Inspection inspection = inspect_with_progress(set);
    if (arguments.json) {
      std::cout << data_set_json(set, arguments.samples, &inspection) << "\n";
      return;
    }
    print_data_set(std::cout, set);
    print_inspection(std::cout, set, inspection);
    print_samples(std::cout, set, arguments.samples);
  });
}

int run_verify(const Arguments& arguments) {
  const auto names =
      arguments.names.empty() ? names_to_verify(arguments.data_root) : arguments.names;
  if (names.empty()) throw ConfigError(arguments.data_root + " holds no data set to verify");
  std::vector<std::string> whole;
  const int exit_code = for_each_set(arguments, names, [&](const auto& name, const auto& set) {
    verify_data_set(set);
    whole.push_back(name);
    if (!arguments.json) std::cout << name << ": whole\n";
  });
  if (arguments.json) std::cout << nlohmann::json{{"whole", whole}}.dump() << "\n";
  return exit_code;
}

int run_list(const Arguments& arguments) {
  nlohmann::json all = nlohmann::json::array();
  const std::vector<std::string> names = data_set_names(arguments.data_root);
  if (names.empty()) {
    std::cerr << "no data set in " << arguments.data_root
              << "; `scalelaw data build default` makes one\n";
  }
  const int exit_code = for_each_set(arguments, names, [&](const auto& name, const auto& set) {
    nlohmann::json tokens = nlohmann::json::object();
    std::string text;
    for (const auto& [split, info] : set.splits) {
      const std::string of(scalelaw::name(split));
      tokens[of] = info.n_tokens;
      text += "  " + of + " " + human(static_cast<double>(info.n_tokens));
    }
    all.push_back({{"name", name}, {"tokenizer", set.tokenizer}, {"tokens", tokens}});
    if (!arguments.json) {
      std::cout << escaped(name) << "  " << escaped(set.tokenizer) << text << " tokens\n";
    }
  });
  if (arguments.json) {
    std::cout << all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  }
  return exit_code;
}

void add_common(CLI::App& verb, Arguments& arguments) {
  add_folder(verb, "--data", arguments.data_root, "folder that holds the data sets");
  verb.add_flag("--json", arguments.json, "for scripts: JSON on stdout");
}

CLI::App* add_verb(CLI::App& app, Arguments& arguments, const char* name, const char* what,
                   const char* example) {
  CLI::App* verb = app.add_subcommand(name, what);
  add_common(*verb, arguments);
  verb->footer(std::string("Example: scalelaw data ") + example);
  return verb;
}

Outcome run(int argc, char** argv) {
  Arguments arguments;
  for (int i = 0; i < argc; ++i) {
    arguments.command_line += (i > 0 ? " " : "") + std::string(argv[i]);
  }
  CLI::App app("Text and token ids into data sets for scaling experiments, and what is in them",
               "scalelaw data");
  app.require_subcommand(1);
  app.footer("Example: scalelaw data build books/*.txt --name books --tokenizer bpe:8192");
  CLI::App* build = add_build(app, arguments.build);
  CLI::App* import = add_import(app, arguments.import);
  for (CLI::App* verb : {build, import}) {
    verb->add_flag("--quiet", arguments.quiet, "no progress");
    add_common(*verb, arguments);
  }
  CLI::App* inspect = add_verb(app, arguments, "inspect",
                               "counts, samples, repeats, and what of test stands in train",
                               "inspect default --samples 3");
  inspect->add_option("NAMES", arguments.names, "data sets")->required();
  add_whole(
      *inspect, "--samples", arguments.samples, {},
      "pieces shown of each split; of an import one where nobody knows which id parts documents");
  CLI::App* verify = add_verb(app, arguments, "verify", "read everything, check every hash and id",
                              "verify default");
  verify->add_option("NAMES", arguments.names, "data sets; none: all");
  add_verb(app, arguments, "list", "the data sets that are there", "list --json");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return {end_parse(app, error, "scalelaw data", {argv + 1, argv + argc})};
  }
  if (build->parsed()) return {run_build(arguments, *build), Product::kFiles};
  if (import->parsed()) return {run_import(arguments, *import), Product::kFiles};
  if (inspect->parsed()) return {run_inspect(arguments)};
  if (verify->parsed()) return {run_verify(arguments)};
  return {run_list(arguments)};
}

}  // namespace
}  // namespace scalelaw

int main(int argc, char** argv) {
  return scalelaw::run_main("scalelaw data", [&] { return scalelaw::run(argc, argv); });
}
