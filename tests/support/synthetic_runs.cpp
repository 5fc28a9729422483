#include "tests/support/synthetic_runs.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <random>

#include "trainer/safetensors.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

constexpr int64_t kContext = 128, kBatchTokens = 1024;

ModelShape shape_of(const SyntheticRun& run) {
  ModelShape shape;
  shape.arch = run.arch;
  shape.n_layer = run.arch == "lstm" ? 1 : 2;
  shape.d_model = run.d_model;
  shape.n_head = run.n_head;
  shape.n_vocab = 512;
  shape.n_ctx = kContext;
  return shape;
}

std::string hash_of_text(const std::string& what) {
  const std::size_t h = std::hash<std::string>{}(what);
  char text[40];
  std::snprintf(text, sizeof(text), "%016zx%016zx", h, h * std::size_t{0x9e3779b97f4a7c15});
  return text;
}

// Everything but the seeds.
std::string recipe_of(const SyntheticRun& run) {
  std::string what = run.arm + "/" + run.arch + "/" + run.tokenizer_hash + "/" + run.train_hash;
  for (const int64_t value : {run.d_model, run.n_head, run.train_tokens}) {
    what += "/" + std::to_string(value);
  }
  return what + "/" + std::to_string(run.learning_rate);
}

std::string hash_of(const SyntheticRun& run) {
  if (!run.content_hash.empty()) return run.content_hash;
  return hash_of_text(recipe_of(run) + "/" + run.folder + "/" + std::to_string(run.seed));
}

// Falls with position and averages to the run's loss over the window.
std::vector<PositionBin> position_bins(double loss_nats) {
  std::vector<PositionBin> bins;
  double mean = 0;
  for (int64_t first = 0; first < kContext; first = bins.back().last + 1) {
    const int64_t last = std::min(first == 0 ? 0 : 2 * first - 1, kContext - 1);
    const double position = std::sqrt((first + 1.0) * (last + 1.0));
    const double excess = 1.6 * std::pow(position, -0.7);
    bins.push_back({first, last, excess, 0.06 / std::sqrt(static_cast<double>(last - first + 1))});
    mean += excess * static_cast<double>(last - first + 1) / static_cast<double>(kContext);
  }
  for (PositionBin& bin : bins) bin.loss_nats += loss_nats - mean;
  return bins;
}

void write_metrics_of(const RunFolder& folder, const SyntheticRun& run) {
  std::ofstream metrics(folder.metrics_part(1));
  const auto steps = static_cast<double>(run.train_tokens / kBatchTokens);
  const double between = run.evaluations > 0 ? steps / static_cast<double>(run.evaluations) : 0;
  for (double step = between > 0 ? between : 10;
       step<steps * 1.01; step = between> 0 ? step + between : step * std::pow(10.0, 0.125)) {
    MetricsRow row;
    row.step = static_cast<int64_t>(std::min(step, steps));
    row.train_tokens = row.step * kBatchTokens;
    const double loss = run.loss_nats + 60 * std::pow(static_cast<double>(row.step), -0.9) -
                        60 * std::pow(steps, -0.9);
    row.train_loss_nats = loss;
    for (const std::string& set : run.test_sets) row.test_loss_nats[set] = loss;
    metrics << to_json_line(row) << '\n';
  }
}

void write_window_losses(const RunFolder& folder, const SyntheticRun& run) {
  // The text of a window is as hard for one run as for another; a run's own part is small.
  std::mt19937_64 text(7), own(static_cast<uint64_t>(run.d_model * 31 + run.seed));
  std::normal_distribution<double> of_text, of_run;  // each keeps a spare value of its stream
  std::vector<float> losses(static_cast<std::size_t>(run.test_windows));
  for (float& loss : losses) {
    loss = static_cast<float>(run.loss_nats + 0.4 * of_text(text) + 0.1 * of_run(own));
  }
  std::map<std::string, SafetensorView> tensors;
  for (const std::string& set : run.test_sets) {
    tensors[set] = {"F32", {run.test_windows}, std::as_bytes(std::span(losses))};
  }
  write_safetensors(folder.window_losses(), tensors, {{"unit", "nats per token"}});
}

std::optional<HeldOut> held_out_of(const SyntheticRun& run) {
  if (run.prediction.empty()) return std::nullopt;
  const ModelShape shape = shape_of(run);
  const auto n = [&](NCount by) { return std::llround(n_params(shape, *count(shape), by)); };
  return HeldOut{run.prediction,
                 n(NCount::kNonEmbedding),
                 n(NCount::kNonEmbeddingPlusHead),
                 n(NCount::kTotal),
                 run.train_tokens,
                 run.arch,
                 run.predicted_test_set,
                 hash_of_text(recipe_of(run))};
}

RunRecord record_of(const SyntheticRun& run, const Attempt& attempt) {
  RunRecord record;
  record.state = run.state;
  record.content_hash = hash_of(run);
  record.recipe_hash = hash_of_text(recipe_of(run));
  record.shape = shape_of(run);
  record.counts = *count(record.shape);
  record.train_tokens = run.train_tokens;
  record.unique_train_tokens =
      run.unique_train_tokens > 0 ? run.unique_train_tokens : run.train_tokens;
  record.batch_tokens = kBatchTokens;
  record.steps = run.train_tokens / kBatchTokens;
  record.learning_rate = run.learning_rate;
  record.seed_init = record.seed_data = run.seed;
  record.train_set = "default";
  record.train_hash = run.train_hash;
  record.tokenizer_hash = run.tokenizer_hash;
  record.final_train_loss_nats = run.loss_nats;
  record.wall_seconds = 20;
  record.pack = {record.content_hash};
  record.attempts = {attempt};
  if (run.state == RunState::kDiverged) return record;
  for (const std::string& set : run.test_sets) {
    TestResult& result = record.test[set];
    result.token_hash = run.test_token_hash;
    result.tokens = run.test_windows * kContext;
    result.windows = run.test_windows;
    result.loss_nats = run.loss_nats;
    result.standard_error_nats = 0.013;
    result.bits_per_byte = run.text_bytes_known ? run.loss_nats / std::log(2.0) / run.bytes_a_token
                                                : std::numeric_limits<double>::quiet_NaN();
    if (run.split_tokens_known) {
      result.split_tokens = 1'000'000;
      if (run.text_bytes_known) result.text_bytes = std::llround(1e6 * run.bytes_a_token);
    }
    result.top1_accuracy = 0.4;
    result.by_position = position_bins(run.loss_nats);
  }
  return record;
}

}  // namespace

std::string write_synthetic_run(const std::filesystem::path& runs, const SyntheticRun& run) {
  const std::string name = !run.folder.empty()
                               ? run.folder
                               : run.arm + "_w" + std::to_string(run.d_model) + "_i" +
                                     std::to_string(run.seed) + "-" + hash_of(run).substr(0, 12);
  if (!run.started) return name;
  const RunFolder folder{runs / name};
  std::filesystem::create_directories(folder.path);
  std::ofstream(folder.config()) << "spec: 1\n";
  Attempt attempt;
  attempt.token = hash_of(run);
  attempt.provenance.program_version = "0.1.0";
  attempt.provenance.git_commit = "0123456789abcdef0123456789abcdef01234567";
  attempt.provenance.torch_version = "2.11.0";
  attempt.provenance.device = "cpu";
  attempt.provenance.host = "laptop";
  attempt.provenance.started_at = run.started_at;
  write_attempt(folder, attempt);
  write_metrics_of(folder, run);
  if (!run.complete) return name;
  if (run.state == RunState::kComplete) write_window_losses(folder, run);
  publish(folder, record_of(run, attempt));
  return name;
}

std::filesystem::path write_synthetic_sweep(const std::filesystem::path& runs,
                                            const std::string& name,
                                            const std::vector<SyntheticRun>& cells) {
  SweepRecord sweep;
  sweep.name = name;
  sweep.spec_file = "configs/" + name + ".yaml";
  sweep.spec_hash = "ffeeddccbbaa99887766554433221100";
  for (const SyntheticRun& run : cells) {
    sweep.cells.push_back({.content_hash = hash_of(run),
                           .folder = write_synthetic_run(runs, run),
                           .places = {{run.arm, "ladder"}},
                           .hold_out = held_out_of(run)});
  }
  const std::filesystem::path file = sweep_record_file(runs, name);
  std::filesystem::create_directories(file.parent_path());
  write_sweep_record(file, sweep);
  return file;
}

std::vector<SyntheticRun> pilot_runs() {
  struct Cell {
    int64_t d_model;
    std::vector<double> losses;
  };
  const std::vector<Cell> transformer = {{8, {2.933}},  {12, {2.678}}, {16, {2.540, 2.476}},
                                         {24, {2.264}}, {32, {2.113}}, {48, {1.950, 1.942}},
                                         {64, {1.866}}, {80, {1.820}}};
  const std::vector<Cell> lstm = {{14, {2.854}},  {20, {2.666}}, {28, {2.537, 2.517}},
                                  {40, {2.383}},  {56, {2.226}}, {80, {2.098, 2.079}},
                                  {112, {1.985}}, {144, {1.929}}};
  std::vector<SyntheticRun> runs;
  for (const auto* cells : {&transformer, &lstm}) {
    for (const Cell& cell : *cells) {
      for (std::size_t seed = 0; seed < cell.losses.size(); ++seed) {
        SyntheticRun run;
        run.arm = run.arch = cells == &lstm ? "lstm" : "transformer";
        run.d_model = cell.d_model;
        run.seed = static_cast<int64_t>(seed) + 1;
        run.loss_nats = cell.losses[seed];
        run.learning_rate =
            cells == &lstm ? 0.02 : 0.08 / std::sqrt(static_cast<double>(cell.d_model));
        runs.push_back(run);
      }
    }
  }
  return runs;
}

std::vector<SyntheticRun> power_law_runs(const std::string& arm, double level, double slope,
                                         double noise, int sizes, int seeds, unsigned random_seed) {
  std::mt19937_64 random(random_seed);
  std::normal_distribution<double> normal;
  std::vector<SyntheticRun> runs;
  for (int i = 0; i < sizes; ++i) {
    for (int seed = 1; seed <= seeds; ++seed) {
      SyntheticRun run;
      run.arm = arm;
      run.d_model = 2 * static_cast<int64_t>(std::lround(4 * std::pow(10.0, 1.2 * i / 8)));
      run.seed = seed;
      const double n = n_params(shape_of(run), *count(shape_of(run)), NCount::kNonEmbedding);
      run.loss_nats = level * std::pow(n / 1e4, -slope) * std::exp(noise * normal(random));
      runs.push_back(run);
    }
  }
  return runs;
}

}  // namespace scalelaw
