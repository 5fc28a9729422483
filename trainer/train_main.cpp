// scalelaw-train: trains one run, or a pack of runs of one shape; times and profiles a step;
// evaluates weights that are there.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <string>

#include "trainer/command_line.h"
#include "trainer/descriptor.h"
#include "trainer/heap.h"
#include "trainer/instruments/evaluate_verb.h"
#include "trainer/instruments/instrument_verbs.h"
#include "trainer/program_exit.h"
#include "trainer/train_verb.h"

int main(int argc, char** argv) {
  using namespace scalelaw;
  spdlog::set_default_logger(spdlog::stderr_color_mt("scalelaw"));
  spdlog::set_pattern("%H:%M:%S %v");
  keep_freed_memory();
  allow_many_open_files();  // a member of a pack has two open
  CLI::App app(
      "Trains runs and packs of runs; times and profiles a training step; evaluates weights",
      "scalelaw");
  app.require_subcommand(1);
  TrainArguments train_arguments;
  InstrumentArguments bench_arguments, profile_arguments;
  add_train(app, train_arguments);
  add_bench(app, bench_arguments);
  add_profile(app, profile_arguments);
  EvaluateArguments evaluate_arguments;
  add_evaluate(app, evaluate_arguments);
  std::string command = "scalelaw train";
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    if (argc > 1 && verb->get_name() == argv[1]) command = "scalelaw " + verb->get_name();
  }
  return run_main(command, [&] {
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return end_parse(app, error, command, {argv + 1, argv + argc});
    }
    if (app.got_subcommand("bench")) return run_bench_verb(bench_arguments);
    if (app.got_subcommand("profile")) return run_profile_verb(profile_arguments);
    if (app.got_subcommand("evaluate")) return run_evaluate_verb(evaluate_arguments);
    return run_train_verb(train_arguments);
  });
}
