// scalelaw-train: trains one run, or a pack of runs of one shape; times a step.
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/bench.h"
#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/data_rules.h"
#include "trainer/device.h"
#include "trainer/enum_text.h"
#include "trainer/program_exit.h"
#include "trainer/provenance.h"
#include "trainer/run_identity.h"
#include "trainer/stop_signals.h"
#include "trainer/train_loop.h"

namespace {

using namespace scalelaw;

struct TrainArguments {
  std::vector<std::string> configs, settings;
  std::string runs = "runs", data = "data", device = "auto";
  int threads = 0;
};

struct BenchArguments {
  BenchOptions options;
  std::string device = "cpu", precision = "fp32", position = "learned";
  int threads = 1;
  bool json = false;
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

std::string describe(const ModelShape& shape, int64_t windows, int64_t replicas) {
  return shape.arch + " of n_layer = " + std::to_string(shape.n_layer) +
         ", d_model = " + std::to_string(shape.d_model) +
         ", n_ctx = " + std::to_string(shape.n_ctx) + ", " + std::to_string(replicas) + " x " +
         std::to_string(windows) + " windows at once";
}

std::string describe(const std::vector<RunConfig>& configs) {
  const RunConfig& first = configs.front();
  const int64_t micro = first.how.micro_batch_tokens;
  return describe(first.model, (micro > 0 ? micro : first.train.batch_tokens) / first.model.n_ctx,
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
  options.provenance.micro_batch_tokens = configs.front().how.micro_batch_tokens;
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

// Of the model's key: the option that sets it.
std::string bench_option(const std::string& key) {
  static const std::map<std::string, std::string> options = {
      {"model.arch", "--arch"},    {"model.n_layer", "--layers"}, {"model.d_model", "--width"},
      {"model.n_head", "--heads"}, {"model.n_ctx", "--context"},  {"model.n_vocab", "--vocab"}};
  const auto found = options.find(key);
  return found == options.end() ? key : found->second;
}

template <typename Enum>
Enum choice(const std::string& option, const std::string& text) {
  if (const auto value = enum_from_text<Enum>(text)) return *value;
  const auto& all = EnumTexts<Enum>::kAll;
  throw ConfigError(option + " " + text + ": must be " + std::string(all[0]) + " or " +
                    std::string(all[1]));
}

int run_bench_verb(BenchArguments& arguments) {
  BenchOptions& options = arguments.options;
  options.shape.position = choice<PositionEncoding>("--position", arguments.position);
  options.precision = choice<Precision>("--precision", arguments.precision);
  if (const auto problems = validate(options.shape); !problems.empty()) {
    throw ConfigError(bench_option(problems.front().key) + ": " + problems.front().rule);
  }
  options.device = choose_device(arguments.device);
  if (arguments.threads > 0) at::set_num_threads(arguments.threads);
  const BenchResult result = [&] {
    try {
      return run_bench(options);
    } catch (const c10::Error& error) {
      throw std::runtime_error(
          failure_text(error, describe(options.shape, options.batch_windows, options.replicas),
                       "a smaller --batch, or fewer --replicas, needs less"));
    }
  }();
  if (arguments.json) {
    std::cout << to_json_line(options, result) << '\n';
  } else {
    std::printf(
        "%.3f ms a step (%.3f ms of CPU time), %.0f tokens/s, %.1f GFLOP/s (exact_causal)\n",
        1e3 * result.step_wall_seconds_median, 1e3 * result.step_cpu_seconds_median,
        result.tokens_per_second, 1e-9 * result.flops_per_second);
  }
  return kExitComplete;
}

constexpr WholeRange kThreads{0, 1024};
constexpr const char* kThreadsHelp = "CPU threads; 0: as OMP_NUM_THREADS says";

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
  add_whole(*verb, "--threads", a.threads, kThreads, kThreadsHelp);
}

void add_bench(CLI::App& app, BenchArguments& a) {
  CLI::App* verb = app.add_subcommand("bench", "time the training step of one shape");
  verb->footer(
      "Example: scalelaw bench --layers 4 --width 128 --context 256 --batch 8 --vocab 1024");
  ModelShape& shape = a.options.shape;
  shape.n_vocab = 256;
  verb->add_option("--arch", shape.arch, "architecture")->capture_default_str();
  add_whole(*verb, "--layers", shape.n_layer, {0}, "n_layer");
  add_whole(*verb, "--width", shape.d_model, {1}, "d_model");
  add_whole(*verb, "--heads", shape.n_head, {1}, "n_head");
  add_whole(*verb, "--context", shape.n_ctx, {1}, "n_ctx");
  add_whole(*verb, "--vocab", shape.n_vocab, {1}, "n_vocab");
  add_whole(*verb, "--batch", a.options.batch_windows, {1}, "windows a step");
  add_whole(*verb, "--replicas", a.options.replicas, {1}, "models side by side");
  add_whole(*verb, "--steps", a.options.steps, {1}, "timed steps");
  verb->add_option("--precision", a.precision, "fp32 or bf16")->capture_default_str();
  verb->add_option("--device", a.device, "auto, cpu or cuda")->capture_default_str();
  add_whole(*verb, "--threads", a.threads, kThreads, kThreadsHelp);
  verb->add_flag("--plain", a.options.plain_operators, "the slow twin: plain autograd operators");
  verb->add_option("--position", a.position,
                   "how attention knows positions: learned (as GPT-2) or rotary")
      ->capture_default_str();
  verb->add_flag("--json", a.json, "one JSON line");
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("scalelaw"));
  spdlog::set_pattern("%H:%M:%S %v");
  CLI::App app("Trains runs and packs of runs; times a training step", "scalelaw");
  app.require_subcommand(1);
  TrainArguments train_arguments;
  BenchArguments bench_arguments;
  add_train(app, train_arguments);
  add_bench(app, bench_arguments);
  const bool is_bench = argc > 1 && std::string_view(argv[1]) == "bench";
  const std::string command = is_bench ? "scalelaw bench" : "scalelaw train";
  return run_main(command, [&] {
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return end_parse(app, error, command, {argv + 1, argv + argc});
    }
    return app.got_subcommand("train") ? run_train(train_arguments)
                                       : run_bench_verb(bench_arguments);
  });
}
