#include "trainer/instruments/instrument_verbs.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/device.h"
#include "trainer/enum_text.h"
#include "trainer/kernel_library.h"
#include "trainer/program_exit.h"
#include "trainer/step.h"

namespace scalelaw {
namespace {

// Of the model's key: the option that sets it.
std::string option_of(const std::string& key) {
  static const std::map<std::string, std::string> options = {{"model.arch", "--arch"},
                                                             {"model.n_layer", "--layers"},
                                                             {"model.d_model", "--width"},
                                                             {"model.n_head", "--heads"},
                                                             {"model.n_ctx", "--context"},
                                                             {"model.n_vocab", "--vocab"},
                                                             {"model.d_ff_ratio", "--d-ff-ratio"}};
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

void prepare(InstrumentArguments& arguments) {
  RehearsalOptions& options = arguments.rehearsal;
  options.shape.position = choice<PositionEncoding>("--position", arguments.position);
  options.shape.embeddings = choice<EmbeddingTying>("--embeddings", arguments.embeddings);
  options.precision = choice<Precision>("--precision", arguments.precision);
  if (const auto problems = validate(options.shape); !problems.empty()) {
    throw ConfigError(option_of(problems.front().key) + ": " + problems.front().rule);
  }
  const auto step = enum_from_text<StepKind>(arguments.step);
  if (!step || *step == StepKind::kAuto) {
    throw ConfigError("--step " + arguments.step + ": must be eager, device or graph");
  }
  options.step = *step;
  if (const int64_t micro = options.micro_batch_windows;
      micro > 0 && options.batch_windows % micro != 0) {
    throw ConfigError("--micro-batch " + std::to_string(micro) + ": must divide --batch " +
                      std::to_string(options.batch_windows));
  }
  if (options.noise_scale_every > 0 && options.batch_windows < 2) {
    throw ConfigError("--noise-scale-every " + std::to_string(options.noise_scale_every) +
                      ": compares the gradient of a batch with that of a part of it; set --batch "
                      "to 2 or more");
  }
  options.device = choose_device(arguments.device);
  if (const std::string note = missing_kernels(options.device); !note.empty()) {
    std::cerr << note << '\n';
  }
  if (arguments.threads > 0) at::set_num_threads(arguments.threads);
}

// Before the steps, not after them.
void require_writable(const std::string& trace) {
  if (trace.empty()) return;
  if (std::filesystem::exists(trace) && !std::filesystem::is_regular_file(trace)) {
    throw ConfigError("--trace " + trace + ": is no file; a trace takes its name's place");
  }
  if (std::ofstream(trace, std::ios::app)) return;
  throw ConfigError("--trace " + trace + ": cannot be written: " + std::strerror(errno));
}

template <typename Work>
auto with_memory_explained(const RehearsalOptions& options, Work work) {
  try {
    Rehearsal rehearsal(options);
    return work(rehearsal);
  } catch (const c10::Error& error) {
    throw std::runtime_error(
        failure_text(error, describe_step(options.shape, options.batch_windows, options.replicas),
                     "a smaller --batch, or fewer --replicas, needs less"));
  }
}

void add_shape(CLI::App& verb, InstrumentArguments& a) {
  ModelShape& shape = a.rehearsal.shape;
  shape.n_vocab = 256;
  verb.add_option("--arch", shape.arch, "architecture")->capture_default_str();
  add_whole(verb, "--layers", shape.n_layer, {0}, "n_layer");
  add_whole(verb, "--width", shape.d_model, {1}, "d_model");
  add_whole(verb, "--heads", shape.n_head, {1}, "n_head");
  add_whole(verb, "--context", shape.n_ctx, {1}, "n_ctx");
  add_whole(verb, "--vocab", shape.n_vocab, {1}, "n_vocab");
  add_whole(verb, "--batch", a.rehearsal.batch_windows, {1}, "windows a step");
  add_whole(verb, "--replicas", a.rehearsal.replicas, {1}, "models side by side");
  verb.add_option("--precision", a.precision, "fp32 or bf16")->capture_default_str();
  verb.add_option("--device", a.device, "auto, cpu or cuda")->capture_default_str();
  add_whole(verb, "--threads", a.threads, kThreadCounts, kThreadsHelp);
  verb.add_option("--step", a.step, "eager, device (16 between two looks of the host) or graph")
      ->capture_default_str();
  add_whole(verb, "--micro-batch", a.rehearsal.micro_batch_windows, {0},
            "windows computed at once; 0: the whole batch");
  add_whole(verb, "--noise-scale-every", a.rehearsal.noise_scale_every, {0},
            "steps between measurements of the gradient noise scale; 0: none");
  verb.add_flag("--recompute", a.rehearsal.recompute_blocks,
                "blocks keep their inputs alone and run again in backward");
  verb.add_flag("--plain", a.rehearsal.plain_operators, "the slow twin: plain autograd operators");
  verb.add_option("--position", a.position,
                  "how attention knows positions: learned (as GPT-2) or rotary")
      ->capture_default_str();
  verb.add_option("--embeddings", a.embeddings, "tied: the head shares them; or untied")
      ->capture_default_str();
  verb.add_option("--d-ff-ratio", shape.d_ff_ratio, "d_ff / d_model")->capture_default_str();
}

}  // namespace

void add_bench(CLI::App& app, InstrumentArguments& a) {
  CLI::App* verb = app.add_subcommand("bench", "time the training step of one shape");
  verb->footer(
      "Example: scalelaw bench --layers 4 --width 128 --context 256 --batch 8 --vocab 1024");
  add_shape(*verb, a);
  add_whole(*verb, "--steps", a.steps, {1}, "timed steps");
  add_whole(*verb, "--warmup", a.warmup, {0}, "steps before them");
  verb->add_option("--seconds", a.seconds, "timed at least, beside --steps")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  verb->add_option("--peak-tflops", a.peak_tflops,
                   "of the device in this precision by its data sheet, to be told the share of it "
                   "(dense bf16: A100 312, H100 and H200 SXM 989; fp32: 19.5, 67); 0: not told")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  verb->add_flag("--no-ceiling", a.no_ceiling, "leave out what products of matrices reach");
  verb->add_flag("--json", a.json, "one JSON line");
  verb->add_flag("--together", a.together,
                 "print `ready` after the warm-up and wait for a line of input, so that several "
                 "processes are timed at once");
}

void add_profile(CLI::App& app, InstrumentArguments& a) {
  CLI::App* verb =
      app.add_subcommand("profile", "say where the training step of one shape spends its time");
  verb->footer(
      "Example: scalelaw profile --layers 2 --width 64 --trace trace.json  (open it in Perfetto)");
  a.steps = 10;
  add_shape(*verb, a);
  add_whole(*verb, "--steps", a.steps, {1}, "profiled steps");
  add_whole(*verb, "--warmup", a.warmup, {0}, "steps before them");
  add_whole(*verb, "--rows", a.rows, {1}, "operators in the table");
  verb->add_option("--trace", a.trace, "write a Chrome trace of all events")->type_name("FILE");
}

int run_bench_verb(InstrumentArguments& arguments) {
  prepare(arguments);
  BenchOptions options;
  options.warmup_steps = arguments.warmup;
  options.steps = arguments.steps;
  options.seconds = arguments.seconds;
  options.measure_ceiling = !arguments.no_ceiling;
  options.peak_flops_per_second = 1e12 * arguments.peak_tflops;
  if (arguments.together) {
    options.warmed_up = [] {
      std::cout << "ready\n" << std::flush;
      std::string line;
      std::getline(std::cin, line);
    };
  }
  const BenchResult result = with_memory_explained(
      arguments.rehearsal, [&](Rehearsal& rehearsal) { return run_bench(rehearsal, options); });
  if (arguments.json) {
    std::cout << to_json_line(arguments.rehearsal, result) << '\n';
  } else {
    std::cout << to_text(arguments.rehearsal, result);
  }
  return kExitComplete;
}

int run_profile_verb(InstrumentArguments& arguments) {
  prepare(arguments);
  ProfileOptions options;
  options.warmup_steps = arguments.warmup;
  options.steps = arguments.steps;
  options.trace = arguments.trace;
  require_writable(arguments.trace);
  const Profile profile = with_memory_explained(
      arguments.rehearsal, [&](Rehearsal& rehearsal) { return profile_steps(rehearsal, options); });
  std::cout << to_text(profile, static_cast<std::size_t>(arguments.rows));
  return kExitComplete;
}

}  // namespace scalelaw
