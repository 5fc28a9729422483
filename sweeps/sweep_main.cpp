// scalelaw-sweep: what a sweep would cost, its runs, and where each stands.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sweeps/language/sweep_spec.h"
#include "sweeps/launch/run_sweep.h"
#include "sweeps/mending_verbs.h"
#include "sweeps/plan/executor_options.h"
#include "sweeps/plan/plan_diff.h"
#include "sweeps/plan/plan_options.h"
#include "sweeps/plan/reports.h"
#include "sweeps/run_verb.h"
#include "sweeps/status/cell_status.h"
#include "sweeps/watch_verb.h"
#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/gpu_probe.h"
#include "trainer/number.h"
#include "trainer/program_exit.h"
#include "trainer/shell_word.h"

namespace {

using namespace scalelaw;

struct Arguments : PlanArguments {
  std::string spec;
  std::string trainer;
  std::optional<double> calibrate_seconds;
  RunQueueOptions queue;
  std::vector<std::string> settings;  // "key=value"
  std::vector<std::string> states;    // of status
  std::string profile;                // --profile
  MendingArguments mending;
  WatchArguments watch;
  bool json = false, calibrate = false, diff = false;
  int64_t most_runs = RunSweepOptions{}.most_runs;
};

constexpr const char* kFooter =
    "A sweep file holds base keys, arms (what is compared) and blocks (grid, zip, list):\n"
    "  spec: 1\n"
    "  name: sizes\n"
    "  data: {train: default}\n"
    "  arms:\n"
    "    transformer: {model: {arch: transformer}}\n"
    "    lstm: {model: {arch: lstm, n_layer: 1}}\n"
    "  blocks:\n"
    "    - {name: ladder, grid: {model.d_model: [16, 32, 64]}}\n"
    "    - {name: noise, arms: [lstm], grid: {seeds.init: [1, 2, 3]}, model: {d_model: 32}}\n"
    "configs/sweep_example.yaml shows every part; `scalelaw explain KEY` says what a key means.\n"
    "Ends with 0 complete, 2 bad input, 3 to be continued by the same command, 1 some runs failed.";

void add_common(CLI::App* verb, Arguments& a) {
  verb->add_option("spec", a.spec, "sweep file (YAML)")->required()->type_name("FILE");
  add_folder(*verb, "--runs", a.runs, "the store: folder of run folders");
  add_folder(*verb, "--data", a.data, "folder of data sets");
  verb->add_option("--profile", a.profile,
                   "of your profiles.yaml, for what no option says; none: also not the file's")
      ->type_name("NAME");
  verb->add_option("--set", a.settings,
                   "KEY=VALUE of every cell, over what the file says; once for each")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

// Where it runs; `jobs` is what the verb calls the processes side by side.
void add_workers(CLI::App* verb, Arguments& a, const std::string& jobs) {
  verb->add_option("--price-per-hour", a.price_per_hour,
                   "of this whole machine, in any currency, for totals and budgets")
      ->type_name("NUMBER");
  verb->add_option("--device", a.device, "auto: a GPU where one is, else the CPU; cpu or cuda")
      ->capture_default_str();
  add_whole(*verb, "--replicas", a.replicas, {0, 4096},
            "most runs of one shape trained side by side in a process; 0: as many as gain by the "
            "device's "
            "law, on a CPU 1");
  verb->add_option("--device-file", a.device_file,
                   "steps measured on this device (configs/devices/), for packs and hours")
      ->type_name("FILE");
  add_whole(*verb, jobs, a.jobs, {0, 4096},
            "processes side by side, on each GPU or on the CPU, each with one CPU thread; 0: one a "
            "GPU, one a core");
}

constexpr const char* kTrainerHelp = "program (default: scalelaw-train beside this one)";
void add_calibration(CLI::App& plan, Arguments& a) {
  CLI::Option* calibrate =
      plan.add_flag("--calibrate", a.calibrate,
                    "measure this sweep's training steps here first, on the device "
                    "that runs would take")
          ->excludes(plan.get_option("--device-file"));
  plan.add_option("--calibrate-seconds", a.calibrate_seconds,
                  "that it may take at most (default: 20 on a CPU, 120 on a GPU)")
      ->check(CLI::Range(1.0, 86400.0))
      ->needs(calibrate);
  plan.add_option("--trainer", a.trainer, kTrainerHelp)->needs(calibrate);
}

void add_verbs(CLI::App& app, Arguments& a) {
  CLI::App* plan = app.add_subcommand("plan", "what a sweep asks for and costs; starts no run");
  plan->footer(
      "Example: scalelaw sweep plan configs/quickstart.yaml --cores 2\n"
      "         scalelaw sweep plan configs/quickstart.yaml --calibrate --price-per-hour 0.34\n"
      "--calibrate measures a few of the sweep's own training steps here, as many side by side as\n"
      "will run, and keeps them in ~/.cache/scalelaw/devices ($XDG_CACHE_HOME): later plans and\n"
      "runs on this CPU, or on GPUs of this model, take their hours from there. A --device-file\n"
      "or, of a CPU, a stated --flops-per-second is used instead where one is given. For GPUs it\n"
      "was tested with stand-ins, and has not run on one.");
  add_common(plan, a);
  plan->add_option("--n-count", a.n_count, "what N counts")->capture_default_str();
  plan->add_option("--c-count", a.c_count, "what C counts")->capture_default_str();
  plan->add_option("--flops-per-second", a.flops_per_second,
                   "of one core, for the hours; 30G where nothing was measured")
      ->type_name("NUMBER");
  add_workers(plan, a, "--cores,--jobs,-j");
  add_whole(*plan, "--gpus", a.gpus, {1, 100'000},
            "plan for so many GPUs, wherever they are, as on a laptop for a cluster");
  plan->add_flag("--diff", a.diff,
                 "only what has changed since the sweep's last run, cell by cell");
  add_calibration(*plan, a);
  CLI::Option* diff = plan->get_option("--diff");
  plan->add_flag("--json", a.json, "for scripts; what has changed is in it")->excludes(diff);

  CLI::App* run = app.add_subcommand("run", "run what is missing, on a GPU or one process a core");
  run->footer(
      "Example: scalelaw sweep run configs/quickstart.yaml --jobs 2\n"
      "         scalelaw sweep run spec.yaml --device cuda --replicas 64 --jobs 2\n"
      "Complete runs are skipped, interrupted ones go on. Ctrl-C loses nothing: the runs write a\n"
      "checkpoint and end; once more, a second later or after, kills them.");
  add_common(run, a);
  add_workers(run, a, "--jobs,-j");
  add_whole(*run, "--retries", a.queue.retries, {}, "of a crash, a run");
  add_whole(*run, "--stop-after", a.queue.stop_after, {},
            "start nothing new once so many runs have failed the same way; 0: never");
  run->add_option("--time-limit", a.time_limit,
                  "of an attempt (90s, 15m, 8h): then it writes a checkpoint and ends; the next "
                  "launch goes on with it")
      ->type_name("TIME");
  add_whole(*run, "--yes", a.most_runs, {1, kMaxCells}, "start up to so many runs");
  run->add_option("--trainer", a.trainer, kTrainerHelp);

  CLI::App* status = app.add_subcommand("status", "where each run stands, and why");
  status->footer(
      "Example: scalelaw sweep status configs/quickstart.yaml --json\n"
      "         scalelaw sweep status configs/quickstart.yaml --state failed,diverged");
  add_common(status, a);
  status->add_option("--state", a.states, "list only runs in these states; sums are of all")
      ->type_name("STATE,...")
      ->delimiter(',');
  status->add_flag("--json", a.json, "for scripts");
  add_common(add_watch_verb(app, a.watch), a);
  const auto common = [&](CLI::App* verb) { add_common(verb, a); };
  add_retry_verb(app, common, a.mending);
  add_exclude_verb(app, common, a.mending);
}

std::filesystem::path trainer_of(const Arguments& a) {
  return a.trainer.empty() ? own_folder() / "scalelaw-train" : std::filesystem::absolute(a.trainer);
}

bool is_given(const CLI::App& verb, const std::string& option) {
  const CLI::Option* const found = verb.get_option_no_throw(option);
  return found != nullptr && found->count() > 0;
}

// The file as it is when the command begins, and what it and a profile say of where it runs, in
// `a`.
SweepSpec spec_of(const CLI::App& verb, Arguments& a) {
  SweepSpec spec = read_sweep_spec(a.spec, a.settings);
  take_executor(spec.executor,
                is_given(verb, "--profile") ? std::optional(a.profile) : std::nullopt,
                {.is_given = [&](const std::string& option) { return is_given(verb, option); },
                 .has_workers = verb.get_option_no_throw("--device") != nullptr},
                environment_variable, a);
  return spec;
}

Plan first_plan(const SweepSpec& spec, const Arguments& a) {
  std::optional<CalibrationOptions> calibration;
  if (a.calibrate) calibration = {trainer_of(a), a.calibrate_seconds};
  AskedPlan asked = plan_as_asked(spec, a, calibration);
  for (const std::string& text : asked.warnings) {
    std::cerr << "scalelaw sweep: warning: " << escaped(text) << "\n";
  }
  return asked.plan;
}

// What a further command about the same sweep takes.
std::string sweep_words(const CLI::App& verb, const Arguments& a) {
  std::string words = shell_word(a.spec);
  const std::pair<const char*, const std::string&> options[] = {
      {"--profile", a.profile}, {"--runs", a.runs}, {"--data", a.data}};
  for (const auto& [option, value] : options) {
    if (is_given(verb, option)) words += std::string(" ") + option + " " + shell_word(value);
  }
  for (const std::string& setting : a.settings) words += " --set " + shell_word(setting);
  return words;
}

RunSweepOptions run_options(const Arguments& a) {
  RunSweepOptions options;
  options.trainer = trainer_of(a);
  options.queue = a.queue;
  options.most_runs = a.most_runs;
  if (!a.time_limit.empty()) {
    options.time_limit_seconds = parse_duration(a.time_limit);
    if (options.time_limit_seconds.value_or(0) <= 0) {
      throw ConfigError("--time-limit " + a.time_limit + ": must be a time > 0, as 90s, 15m or 8h");
    }
  }
  return options;
}

Outcome run_program(const CLI::App& app, Arguments& a, const std::string& command) {
  const WatchOptions watch = watch_options(a.watch);
  std::set<CellState> states;
  for (const std::string& text : a.states) states.insert(cell_state_from("--state", text));
  const CLI::App& verb = *app.get_subcommands().front();
  const std::string words = sweep_words(verb, a);
  const SweepSpec spec = spec_of(verb, a);
  const auto replan = [&] { return plan_as_asked(spec, a).plan; };
  if (app.got_subcommand("watch")) {
    return {watch_sweep(replan, watch, std::cout)};
  }
  const Plan plan = first_plan(spec, a);
  if (app.got_subcommand("run")) {
    return {run_verb(plan, replan, run_options(a), own_folder() / "scalelaw-fit", {words, command}),
            Product::kFiles};
  }
  if (app.got_subcommand("retry") || app.got_subcommand("exclude")) {
    std::cout << (app.got_subcommand("retry") ? retry(plan, a.mending, words)
                                              : exclude(plan, a.mending, words, replan));
    return {kExitComplete, Product::kFiles};
  }
  std::vector<CellStatus> statuses = look_at_all(plan);
  const bool is_plan = app.got_subcommand("plan");
  if (a.diff) {
    std::cout << diff_text(plan, diff_of(plan));
    return {kExitComplete};
  }
  if (!is_plan) read_ledgers(plan, statuses);
  std::cout << (is_plan  ? (a.json ? plan_json(plan, statuses) : plan_text(plan, statuses))
                : a.json ? status_json(plan, statuses, states)
                         : status_text(plan, statuses, states));
  return {kExitComplete};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("What a sweep costs, its runs, and where each stands", "scalelaw sweep");
  app.footer(kFooter);
  app.require_subcommand(1);
  Arguments arguments;
  add_verbs(app, arguments);
  std::string command = "scalelaw sweep";
  for (int i = 1; i < argc; ++i) command += " " + shell_word(argv[i]);
  return run_main("scalelaw sweep", [&]() -> Outcome {
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return {end_parse(app, error, "scalelaw sweep", {argv + 1, argv + argc})};
    }
    return run_program(app, arguments, command);
  });
}
