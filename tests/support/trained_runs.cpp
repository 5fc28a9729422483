#include "tests/support/trained_runs.h"

#include <cmath>
#include <fstream>
#include <vector>

#include "trainer/checkpoint_files.h"
#include "trainer/config_yaml.h"
#include "trainer/run_identity.h"
#include "trainer/run_lease.h"
#include "trainer/run_record.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr double kSpread = 0.1;  // of the windows, of which there is an even number

double loss_of(const RunIdentity& run) {
  return 2 + 0.001 * static_cast<double>(run.config.seeds.init);
}

void write_metrics_of(const RunIdentity& run, int64_t lines) {
  std::ofstream metrics(run.folder.metrics_part(1));
  const int64_t steps = total_steps(run.config);
  for (int64_t line = 1; line <= lines; ++line) {
    MetricsRow row;
    row.step = std::max<int64_t>(1, steps * line / lines);
    row.train_tokens = row.step * run.config.train.batch_tokens;
    // The last tenth at the loss that the record says.
    row.train_loss_nats =
        loss_of(run) + std::max(0.0, 0.9 - static_cast<double>(line) / static_cast<double>(lines));
    row.learning_rate = run.config.train.learning_rate;
    row.grad_norm = 0.7;
    row.wall_seconds = 0.01 * static_cast<double>(row.step);
    row.tokens_per_second = 123456.7;
    metrics << to_json_line(row) << '\n';
  }
}

TestResult result_of(const std::string& token_hash, int64_t windows, double loss_nats) {
  TestResult result;
  result.token_hash = token_hash;
  result.tokens = 8 * windows;
  result.windows = windows;
  result.loss_nats = loss_nats;
  result.standard_error_nats = windows > 1 ? kSpread / std::sqrt(windows - 1) : 0;
  result.bits_per_byte = loss_nats / std::log(2.0) / 2.1;
  result.top1_accuracy = 0.4;
  for (int64_t first = 0; first < 8; first = 2 * first + 1) {
    result.by_position.push_back({first, std::min<int64_t>(7, 2 * first), loss_nats, 0.02});
  }
  return result;
}

RunRecord record_of(const RunIdentity& run, const PlannedCell& cell, const Attempt& attempt,
                    int64_t windows) {
  RunRecord record;
  record.content_hash = run.content_hash;
  record.recipe_hash = run.recipe_hash;
  record.shape = run.config.model;
  record.shape.n_vocab = run.data.n_vocab;
  record.counts = *count(record.shape);
  record.steps = cell.steps;
  record.train_tokens = cell.train_tokens;
  record.unique_train_tokens = cell.unique_train_tokens;
  record.batch_tokens = run.config.train.batch_tokens;
  record.learning_rate = run.config.train.learning_rate;
  record.seed_init = run.config.seeds.init;
  record.seed_data = run.config.seeds.data;
  record.train_set = run.config.data.train;
  record.train_hash = run.data.train_hash;
  record.tokenizer_hash = std::string(32, 'a');
  record.wall_seconds = 20;
  record.pack = {run.content_hash};
  record.attempts = {attempt};
  const double loss = loss_of(run);
  record.final_train_loss_nats = loss;
  for (const auto& [set, hash] : run.data.test_hash) {
    record.test[set] = result_of(hash, windows, loss);
  }
  return record;
}

Attempt attempt_at(const RunIdentity& run) {
  Attempt attempt;
  attempt.token = run.content_hash;
  attempt.content_hash = run.content_hash;
  attempt.provenance.program_version = "0.1.0";
  attempt.provenance.git_commit = "0123456789abcdef0123456789abcdef01234567";
  attempt.provenance.torch_version = "2.11.0";
  attempt.provenance.device = "cpu";
  attempt.provenance.host = "laptop";
  attempt.provenance.started_at = "2026-01-02T03:04:05Z";
  return attempt;
}

void write_run(const RunIdentity& run, const PlannedCell& cell, const TrainedRuns& options) {
  const RunLease lock(run.folder.path);
  std::ofstream(run.folder.config()) << to_yaml(run.config);
  const Attempt attempt = attempt_at(run);
  write_attempt(run.folder, attempt);
  write_metrics_of(run, options.metrics_lines);
  const RunRecord record = record_of(run, cell, attempt, options.test_windows);
  std::vector<float> losses(static_cast<std::size_t>(options.test_windows));
  for (std::size_t i = 0; i < losses.size(); ++i) {
    losses[i] = static_cast<float>(loss_of(run) + (i % 2 == 0 ? kSpread : -kSpread));
  }
  std::map<std::string, SafetensorView> tensors;
  for (const auto& [set, result] : record.test) {
    tensors[set] = {"F32", {options.test_windows}, std::as_bytes(std::span(losses))};
  }
  write_safetensors(run.folder.window_losses(), tensors, {{"unit", "nats per token"}});
  if (options.checkpoints) {
    fs::create_directories(run.folder.checkpoints());
    const SafetensorView some = tensors.begin()->second;
    write_safetensors(checkpoint_file(run.folder, record.steps),
                      {{"model.w", some},
                       {"optimizer.first_moment.w", some},
                       {"optimizer.second_moment.w", some}},
                      {{"content_hash", run.content_hash}});
  }
  publish(run.folder, record);
}

}  // namespace

std::string many_runs_spec(int64_t cells) {
  std::string seeds;
  for (int64_t seed = 1; 4 * seed - 3 <= cells; ++seed) {
    seeds += (seeds.empty() ? "" : ", ") + std::to_string(seed);
  }
  return "spec: 1\nname: many\ndata: {train: tiny, test: {tiny: 512}}\nhorizon: {tokens: 2000}\n"
         "model: {n_ctx: 8}\ntrain: {batch_tokens: 32}\nevaluate: {tokens: 64}\n"
         "arms:\n  transformer: {model: {arch: transformer}}\n"
         "  lstm: {model: {arch: lstm, n_layer: 1}}\n"
         "blocks: [{name: b, grid: {model.d_model: [16, 32], seeds.init: [" +
         seeds + "]}}]\n";
}

void write_trained_runs(const Plan& plan, const TrainedRuns& options) {
  DataSetHeaders data(plan.options.data);
  for (const PlannedCell& cell : plan.cells) {
    write_run(identify(cell.config, plan.options.runs, data), cell, options);
  }
  const fs::path file = sweep_record_file(plan.options.runs, plan.name);
  fs::create_directories(file.parent_path());
  write_sweep_record(file, scalelaw::record_of(plan));
}

}  // namespace scalelaw
