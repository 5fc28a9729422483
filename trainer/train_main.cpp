// scalelaw-train: trains one run, or a pack of runs of one shape; times and profiles a step.
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/data_rules.h"
#include "trainer/device.h"
#include "trainer/heap.h"
#include "trainer/instruments/instrument_verbs.h"
#include "trainer/program_exit.h"
#include "trainer/provenance.h"
#include "trainer/run_identity.h"
#include "trainer/step.h"
#include "trainer/stop_signals.h"
#include "trainer/train_loop.h"

namespace {

using namespace scalelaw;

struct TrainArguments {
  std::vector<std::string> configs, settings;
  std::string runs = "runs", data = "data", device = "auto";
  int threads = 0;
  int64_t share_memory = 1;
};

// Every rule that the file and the headers of its data sets can break, each with its line.
RunConfig read_checked(const std::string& file, const TrainArguments& arguments,
                       DataSetHeaders& data) {
  const FlatConfig written = read_run_file(file, arguments.settings);
  RunConfig config = resolve(written);
  try {
    config = identify(std::move(config), arguments.runs, data).config;
    check_data_rules(config, data);
  } catch (const KeyError& error) {
    throw_at_its_place(error, written);
  }
  for (const UnreadKey& unread : unread_keys(written, config)) {
    if (!unread.is_default) spdlog::warn("{}", describe(unread));
  }
  return config;
}

std::string describe(const std::vector<RunConfig>& configs) {
  const RunConfig& first = configs.front();
  const int64_t micro = first.how.micro_batch_tokens;
  return describe_step(first.model,
                       (micro > 0 ? micro : first.train.batch_tokens) / first.model.n_ctx,
                       static_cast<int64_t>(configs.size()));
}

// Where the last step goes beyond the horizon that was asked for.
std::string rounded_horizon(const RunConfig& config) {
  const int64_t steps = total_steps(config), batch = config.train.batch_tokens;
  if (steps * batch == config.horizon.tokens) return "";
  return "; horizon.tokens = " + std::to_string(config.horizon.tokens) + " are " +
         std::to_string(steps) + " steps of " + std::to_string(batch) + ": " +
         std::to_string(steps * batch) + " tokens";
}

constexpr const char* kEraseLine = "\r\x1b[K";

// The observers end with it: what they leave on the terminal is a line of its own.
TrainOutcome train_observed(Pack& pack, bool terminal) {
  const ProvenanceConfig& how = pack.members().front().config().how;
  std::vector<std::unique_ptr<Observer>> observers;
  observers.push_back(make_metrics_observer(pack));
  observers.push_back(make_checkpoint_observer(how.checkpoint_every_seconds));
  observers.push_back(make_progress_observer(pack, how.progress_every_seconds, terminal,
                                             [](const std::string& text) { std::cerr << text; }));
  return train(pack, observers, stop_on_signals());
}

int train_configs(const std::vector<RunConfig>& configs, const TrainArguments& arguments) {
  PackOptions options;
  options.runs = arguments.runs;
  options.data = arguments.data;
  options.device = choose_device(arguments.device);
  if (arguments.threads > 0) at::set_num_threads(arguments.threads);
  options.provenance = current_provenance(options.device, at::get_num_threads());
  options.memory_bytes =
      device_memory_bytes(options.device) / static_cast<double>(arguments.share_memory);
  const bool terminal = isatty(STDERR_FILENO) != 0;
  options.note = [terminal](const std::string& text) {
    if (terminal) std::cerr << kEraseLine;
    spdlog::info("{}", text);
  };

  Pack pack(configs, std::move(options));
  if (pack.finished()) return kExitComplete;
  for (const ReplicaRun& member : pack.members()) {
    spdlog::info("{}: {} steps from {}{}", member.folder().path.string(), member.steps(),
                 pack.step(), rounded_horizon(member.config()));
  }
  if (train_observed(pack, terminal) == TrainOutcome::kInterrupted) {
    spdlog::warn("interrupted at step {}; the same command goes on from there", pack.step());
    return kExitInterrupted;
  }
  for (const ReplicaRun& member : pack.members()) {
    spdlog::info("{}", one_line_result(member.folder()));
  }
  return kExitComplete;
}

int run_train(const TrainArguments& arguments) {
  std::vector<RunConfig> configs;
  DataSetHeaders data(arguments.data);
  for (const std::string& file : arguments.configs) {
    configs.push_back(read_checked(file, arguments, data));
  }
  try {
    return train_configs(configs, arguments);
  } catch (const c10::Error& error) {
    throw std::runtime_error(
        failure_text(error, describe(configs),
                     "a smaller how.micro_batch_tokens needs less and gives the same result"));
  }
}

void add_train(CLI::App& app, TrainArguments& a) {
  CLI::App* verb = app.add_subcommand("train", "train one run, or several of one shape as a pack");
  verb->footer(
      "Example: scalelaw train run.yaml --set train.learning_rate=0.02 --device cpu\n"
      "Ends with 0 complete, 2 bad input, 3 interrupted (the same command goes on), 1 otherwise.");
  verb->add_option("config", a.configs, "run configurations (YAML); more than one make a pack")
      ->required()
      ->type_name("FILE");
  verb->add_option("--set", a.settings, "key=value, over the files; repeatable")->type_name("K=V");
  add_folder(*verb, "--runs", a.runs, "folder of run folders");
  add_folder(*verb, "--data", a.data, "folder of data sets");
  verb->add_option("--device", a.device, "auto, cpu or cuda")->capture_default_str();
  add_whole(*verb, "--threads", a.threads, kThreadCounts, kThreadsHelp);
  add_whole(*verb, "--share-memory", a.share_memory, {1},
            "processes among which the device's memory is divided");
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("scalelaw"));
  spdlog::set_pattern("%H:%M:%S %v");
  keep_freed_memory();
  CLI::App app("Trains runs and packs of runs; times and profiles a training step", "scalelaw");
  app.require_subcommand(1);
  TrainArguments train_arguments;
  InstrumentArguments bench_arguments, profile_arguments;
  add_train(app, train_arguments);
  add_bench(app, bench_arguments);
  add_profile(app, profile_arguments);
  const std::string_view verb = argc > 1 ? argv[1] : "";
  const std::string command =
      "scalelaw " + std::string(verb == "bench" || verb == "profile" ? verb : "train");
  return run_main(command, [&] {
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return end_parse(app, error, command, {argv + 1, argv + argc});
    }
    if (app.got_subcommand("bench")) return run_bench_verb(bench_arguments);
    if (app.got_subcommand("profile")) return run_profile_verb(profile_arguments);
    return run_train(train_arguments);
  });
}
