// Stands in for scalelaw-train under scripts/kill_sweep.py: it keeps a run's folder as training
// does (lease, attempts, costs, lines, checkpoints, record), so that thousands of runs can be
// killed in minutes, and in place of a model it has one number, which each step changes. A step
// lost, doubled or taken from another run's state leaves another number at the end.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "trainer/atomic_file.h"
#include "trainer/attempt_cost.h"
#include "trainer/checkpoint_files.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/disk_space.h"
#include "trainer/line_file.h"
#include "trainer/run_identity.h"
#include "trainer/run_lease.h"
#include "trainer/safetensors.h"
#include "trainer/stop_signals.h"

namespace {

using namespace scalelaw;

constexpr auto kStep = std::chrono::milliseconds(2);
constexpr int64_t kStepsBetweenLines = 4, kStepsBetweenCheckpoints = 8;

const std::atomic<bool>& stop_asked = stop_on_signals();

struct State {
  uint64_t number = 0;
  int64_t step = 0;

  void advance() {
    number = number * 6364136223846793005U + 1442695040888963407U;
    ++step;
  }
  double loss_nats() const { return static_cast<double>(number >> 40U) / (1 << 24); }
};

State initial(const RunIdentity& run) {
  return {std::stoull(run.content_hash.substr(0, 16), nullptr, 16), 0};
}

void write_checkpoint(const RunIdentity& run, const State& state, const RunLease& lease) {
  const nlohmann::json cursor = {{"pack", {run.content_hash}}};
  write_safetensors(checkpoint_file(run.folder, state.step), {},
                    {{"content_hash", run.content_hash},
                     {"updates_done", std::to_string(state.step)},
                     {"number", std::to_string(state.number)},
                     {"cursor", cursor.dump()}},
                    [&] { lease.check(); });
  const std::vector<int64_t> steps = checkpoint_steps(run.folder);  // newest first
  for (std::size_t i = 2; i < steps.size(); ++i) {
    std::filesystem::remove(checkpoint_file(run.folder, steps[i]));
  }
}

State read_newest(const RunIdentity& run) {
  for (const int64_t step : checkpoint_steps(run.folder)) {
    const SafetensorsFile file(checkpoint_file(run.folder, step));
    if (file.metadata().at("content_hash") != run.content_hash) {
      throw std::runtime_error("a checkpoint of another run");
    }
    return {std::stoull(file.metadata().at("number")), step};
  }
  return initial(run);
}

std::string line_of(const State& state) {
  MetricsRow row;
  row.step = state.step;
  row.train_loss_nats = state.loss_nats();
  return to_json_line(row);
}

void finish(const RunIdentity& run, const State& state, const RunLease& lease) {
  RunRecord record;
  record.content_hash = run.content_hash;
  record.recipe_hash = run.recipe_hash;
  record.shape = run.config.model;
  record.steps = state.step;
  record.batch_tokens = run.config.train.batch_tokens;
  record.final_train_loss_nats = state.loss_nats();
  record.test["tiny"].loss_nats = state.loss_nats();
  record.attempts = read_attempts(run.folder);
  publish(run.folder, record, [&] { lease.check(); });
}

int train(const RunIdentity& run) {
  const double started_at = monotonic_seconds();
  RunLease lease(run.folder.path);
  if (try_read_run_record(run.folder)) return kExitComplete;
  for (const auto& place : {run.folder.path, run.folder.checkpoints(), run.folder.attempts()}) {
    std::filesystem::create_directories(place);
    remove_drafts(place);
  }
  State state = read_newest(run);
  const std::vector<Attempt> before = read_attempts(run.folder);
  Attempt attempt;
  attempt.number = before.empty() ? 1 : before.back().number + 1;
  attempt.token = lease.token();
  attempt.content_hash = run.content_hash;
  attempt.first_step = state.step;
  write_attempt(run.folder, attempt);
  CostBook costs(run.folder, AttemptCost{.number = attempt.number, .first_step = state.step},
                 run.config.train.batch_tokens, {.cores = 1}, started_at);
  LineFile lines(run.folder.metrics_part(attempt.number));
  const int64_t steps = total_steps(run.config);
  while (state.step < steps && !stop_asked) {
    std::this_thread::sleep_for(kStep);
    state.advance();
    costs.count_step();
    if (state.step % kStepsBetweenLines == 0) lines.append(line_of(state));
    if (state.step % kStepsBetweenCheckpoints != 0) continue;
    costs.note();
    lines.sync();
    write_checkpoint(run, state, lease);
  }
  costs.note();
  lines.sync();
  write_checkpoint(run, state, lease);
  if (state.step < steps) {
    costs.close("interrupted");
    return kExitInterrupted;
  }
  finish(run, state, lease);
  costs.close("complete");
  return kExitComplete;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    // train CONFIG --runs DIR --data DIR …
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() < 6 || words[0] != "train" || words[2] != "--runs") {
      throw ConfigError("unexpected command line");
    }
    return train(identify(read_run_config(words[1]), words[3], words[5]));
  } catch (const ConfigError& error) {
    std::cerr << error.what() << '\n';
    return kExitBadInput;
  } catch (const LostLease& error) {
    std::cerr << error.what() << '\n';
    return kExitInterrupted;
  } catch (const DiskFull& error) {
    std::cerr << error.what() << '\n';
    return kExitInterrupted;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return kExitOther;
  }
}
