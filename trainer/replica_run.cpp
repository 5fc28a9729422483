#include "trainer/replica_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/config_yaml.h"
#include "trainer/kept_checkpoint.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

// What differs between two attempts and may differ in bits; "" when nothing does.
std::string difference(const Provenance& before, const Provenance& now) {
  std::string text;
  const auto compare = [&](const char* what, const std::string& a, const std::string& b) {
    if (a != b) text += (text.empty() ? "" : ", ") + std::string(what) + " " + a + " -> " + b;
  };
  compare("host", before.host, now.host);
  compare("device", before.device, now.device);
  compare("instruction set", before.instruction_set, now.instruction_set);
  compare("threads", std::to_string(before.threads), std::to_string(now.threads));
  compare("micro_batch_tokens", std::to_string(before.micro_batch_tokens),
          std::to_string(now.micro_batch_tokens));
  compare("step", before.step.value_or("eager"), now.step.value_or("eager"));
  compare("ranks", std::to_string(before.ranks.value_or(1)), std::to_string(now.ranks.value_or(1)));
  compare("torch", before.torch_version, now.torch_version);
  compare("commit", before.git_commit, now.git_commit);
  return text;
}

// By the names of its files, whatever they hold; 0: none yet.
int last_attempt_number(const RunFolder& folder) {
  int last = 0;
  for (const int number : metrics_part_numbers(folder)) last = std::max(last, number);
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder.attempts(), none)) {
    int number = 0;
    if (std::sscanf(entry.path().filename().c_str(), "%d.json", &number) == 1) {
      last = std::max(last, number);
    }
  }
  return last;
}

// Of the measurements since the last line.
void add_noise(const TrainingCursor& cursor, MetricsRow& row) {
  const RunningMean& noise = cursor.grad_noise_since_line;
  if (noise.count == 0) return;
  const NoiseMoments mean{cursor.grad_sq_norm_since_line.value(), noise.value(), noise.count};
  row.noise_measurements = mean.measurements;
  row.grad_sq_norm = mean.grad_sq_norm;
  row.grad_noise_tokens = mean.grad_noise_tokens;
  row.noise_scale_tokens = noise_scale_tokens(mean);
}

std::optional<NoiseScale> noise_of_last_half(const RunFolder& folder,
                                             const TrainingCursor& cursor) {
  std::vector<MetricsRow> rows = read_metrics(folder);
  MetricsRow after_last_line;  // of a run that diverged there
  after_last_line.step = cursor.step;
  add_noise(cursor, after_last_line);
  rows.push_back(after_last_line);
  return noise_scale_after(cursor.step / 2, rows);
}

// Another sweep may have begun the run and want more of it.
KeptCheckpoint kept_by_both(KeptCheckpoint asked, const RunFolder& folder) {
  std::error_code none;
  if (!std::filesystem::exists(folder.config(), none)) return asked;
  try {
    return std::min(asked, read_run_config(folder.config()).how.keep);
  } catch (const std::runtime_error&) {  // somebody's edit; it is written anew
    return asked;
  }
}

}  // namespace

ReplicaRun::ReplicaRun(RunIdentity identity, Books books)
    : identity_(std::move(identity)),
      books_(books),
      taken_at_(monotonic_seconds()),
      lease_(keeps_books() ? std::make_unique<RunLease>(identity_.folder.path) : nullptr),
      leftovers_(keeps_books() ? Leftovers(identity_.folder) : Leftovers()),
      steps_(total_steps(identity_.config)) {
  const int64_t asked = config().how.log_every;
  log_every_ = asked > 0 ? asked : std::max<int64_t>(1, steps_ / 400);
}

void ReplicaRun::begin_attempt(TrainingCursor at, const Provenance& provenance, double share,
                               const Company& company) {
  cursor = std::move(at);
  if (!keeps_books()) return;
  check_folder();
  leftovers_.remove_after(cursor.pack_step(), [this] { check_folder(); });
  wall_seconds_at_line_ = cursor.wall_seconds;
  step_at_line_ = cursor.step;
  std::vector<std::filesystem::path> damaged;
  attempts_ = read_attempts(folder(), &damaged);
  Attempt attempt;
  attempt.number = 1 + last_attempt_number(folder());
  attempt.token = lease_->token();
  attempt.content_hash = content_hash();
  attempt.first_step = cursor.step;
  attempt.provenance = provenance;
  for (const auto& file : damaged) {
    cursor.events.push_back({"attempt_record_damaged", cursor.step, file.filename().string()});
  }
  if (!attempts_.empty()) {
    cursor.events.push_back({cursor.step > 0 ? "resumed" : "restarted", cursor.step,
                             "attempt " + std::to_string(attempt.number)});
    Provenance before = attempts_.back().provenance;
    if (before.micro_batch_tokens == 0) before.micro_batch_tokens = config().train.batch_tokens;
    const std::string moved = difference(before, provenance);
    if (!moved.empty()) cursor.events.push_back({"moved", cursor.step, moved});
  }
  identity_.config.how.keep = kept_by_both(config().how.keep, folder());
  // Also over one that somebody edited, or of an attempt that ran otherwise.
  write_atomically(folder().config(), to_yaml(config()));
  write_attempt(folder(), attempt);
  attempts_.push_back(attempt);
  metrics_ = std::make_unique<LineFile>(folder().metrics_part(attempt.number));
  const double processors = share * provenance.ranks.value_or(1);
  const bool on_cpu = provenance.device == "cpu";
  AttemptCost cost{attempt.number, cursor.step};
  cost.company = company;
  costs_ = std::make_unique<CostBook>(
      folder(), cost, config().train.batch_tokens,
      CostBook::Share{.cores = on_cpu ? processors * provenance.threads : 0,
                      .gpus = on_cpu ? 0 : processors,
                      .is_alone = share == 1},
      taken_at_);
  // Or a power cut could keep a checkpoint and lose the lines before it.
  sync_folder(folder().path);
}

void ReplicaRun::account(double loss_nats, double grad_norm) {
  ++cursor.step;
  if (costs_) costs_->count_step();
  cursor.grad_norm = grad_norm;
  cursor.loss_since_line.add(loss_nats);
  if (cursor.step > steps_ - std::max<int64_t>(1, steps_ / 10)) {
    cursor.loss_last_tenth.add(loss_nats);
  }
}

void ReplicaRun::account_noise(const NoiseMoments& measured) {
  // A small batch's norm may overflow where the batch's does not.
  if (!std::isfinite(measured.grad_noise_tokens) || !std::isfinite(measured.grad_sq_norm)) return;
  cursor.grad_sq_norm_since_line.add(measured.grad_sq_norm);
  cursor.grad_noise_since_line.add(measured.grad_noise_tokens);
}

void ReplicaRun::check_folder() const {
  if (lease_) lease_->check();
  if (costs_) costs_->note();
}

void ReplicaRun::check_not_lost() const {
  if (is_lost()) check_folder();
}

void ReplicaRun::close_costs(const std::string& end) {
  if (costs_) costs_->close(is_lost() ? "lost" : end);
}

bool ReplicaRun::line_due() const {
  return cursor.step % log_every_ == 0 || cursor.step == steps_;
}

int64_t ReplicaRun::next_line() const {
  return std::min(steps_, (cursor.step / log_every_ + 1) * log_every_);
}

void ReplicaRun::write_line(double learning_rate,
                            const std::map<std::string, double>& test_loss_nats) {
  if (!keeps_books()) return cursor.begin_line();
  MetricsRow row;
  row.step = cursor.step;
  row.train_tokens = cursor.step * config().train.batch_tokens;
  if (cursor.loss_since_line.count > 0) row.train_loss_nats = cursor.loss_since_line.value();
  row.learning_rate = learning_rate;
  row.grad_norm = cursor.grad_norm;
  add_noise(cursor, row);
  row.wall_seconds = cursor.wall_seconds;
  const double seconds = cursor.wall_seconds - wall_seconds_at_line_;
  // Resumed where the line was missing, this attempt has trained nothing of it.
  if (seconds > 0 && cursor.step > step_at_line_) {
    row.tokens_per_second =
        static_cast<double>((cursor.step - step_at_line_) * config().train.batch_tokens) / seconds;
  }
  row.test_loss_nats = test_loss_nats;
  metrics_->append(to_json_line(row));
  cursor.begin_line();
  wall_seconds_at_line_ = cursor.wall_seconds;
  step_at_line_ = cursor.step;
}

std::string ReplicaRun::finish(RunState state, const std::map<std::string, WindowScores>& results,
                               const RunRecord& facts, int row) {
  if (!keeps_books()) {
    state_ = State::kEnded;
    return "";
  }
  metrics_->write_held_back();
  check_folder();
  if (!results.empty()) {
    std::map<std::string, SafetensorView> tensors;
    for (const auto& [name, scores] : results) {
      const auto windows = static_cast<int64_t>(scores.window_loss_nats.size());
      tensors[name] = {"F32", {windows}, std::as_bytes(std::span(scores.window_loss_nats))};
    }
    write_safetensors(folder().window_losses(), tensors, {{"unit", "nats per token"}},
                      [this] { check_folder(); });
  }
  RunRecord record = facts;
  record.state = state;
  record.content_hash = content_hash();
  record.recipe_hash = identity_.recipe_hash;
  record.train_hash = identity_.data.train_hash;
  record.steps = cursor.step;
  record.train_tokens = cursor.step * config().train.batch_tokens;
  record.batch_tokens = config().train.batch_tokens;
  record.learning_rate = config().train.learning_rate;
  record.seed_init = config().seeds.init;
  record.seed_data = config().seeds.data;
  if (cursor.loss_last_tenth.count > 0) {
    record.final_train_loss_nats = cursor.loss_last_tenth.value();
  }
  for (const auto& [name, scores] : results) record.test[name] = scores.result;
  if (config().evaluate.noise_scale_every > 0) {
    record.noise_scale = noise_of_last_half(folder(), cursor);
  }
  record.wall_seconds = cursor.wall_seconds;
  record.evaluate_seconds = cursor.evaluate_seconds;
  if (!results.empty()) record.final_evaluate_seconds = cursor.final_evaluate_seconds;
  record.checkpoint_seconds = cursor.checkpoint_seconds;
  record.pack = cursor.pack;
  record.pack_row = row;
  record.events.insert(record.events.begin(), cursor.events.begin(), cursor.events.end());
  record.attempts = attempts_;
  if (!publish(folder(), record, [this] { check_folder(); })) {
    throw LostLease(folder().path.string() + kCompletedMeanwhile + "; this one ends");
  }
  // One that diverged keeps its newest two, to be looked into.
  std::string stays;
  if (state == RunState::kComplete) stays = keep_checkpoint();
  state_ = State::kEnded;
  close_costs(state == RunState::kComplete ? "complete" : "diverged");
  lease_.reset();
  return stays;
}

std::string ReplicaRun::keep_checkpoint() const {
  const std::filesystem::path last = checkpoint_file(folder(), cursor.step);
  try {
    keep_only_checkpoint(folder(), cursor.step);
    const auto is_ours = [this] { check_folder(); };
    if (config().how.keep == KeptCheckpoint::kWeights) keep_weights_alone(last, is_ours);
    if (config().how.keep == KeptCheckpoint::kNone) {
      is_ours();
      std::filesystem::remove(last);
    }
  } catch (const std::exception& error) {
    return folder().path.string() + ": is complete, and more of its checkpoints stays than " +
           "how.keep asks for: " + error.what() + "; `scalelaw runs clean` takes that away";
  }
  return "";
}

}  // namespace scalelaw
