// What a pack leaves behind: evaluations, checkpoints, records.
#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <utility>

#include "trainer/checkpoint.h"
#include "trainer/clock.h"
#include "trainer/disk_space.h"
#include "trainer/pack.h"

namespace scalelaw {
namespace {

// Adds the time it lives to `seconds` of every cursor's field.
class Stopwatch {
 public:
  Stopwatch(std::vector<ReplicaRun>& members, double TrainingCursor::*field)
      : members_(members), field_(field) {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() {
    for (ReplicaRun& member : members_) member.cursor.*field_ += monotonic_seconds() - start_;
  }

 private:
  std::vector<ReplicaRun>& members_;
  double TrainingCursor::*field_;
  double start_ = monotonic_seconds();
};

}  // namespace

RunRecord Pack::facts_of(const ReplicaRun& member) const {
  RunRecord facts = facts_;
  facts.unique_train_tokens = unique_train_tokens(member.config(), train_->info().n_tokens);
  return facts;
}

Evaluator Pack::evaluator_of(const TestSet& set) {
  Evaluator evaluator{*model_, replicas(), options_.device, *options_.ranks};
  if (!device_step_) return evaluator;
  std::unique_ptr<DeviceScores>& scores = device_scores_[set.name];
  if (!scores) {
    const EvaluateConfig& curve = members_.front().config().evaluate;
    scores = make_device_scores(evaluator, set, curve.points_per_decade > 0 ? curve.tokens : 0);
    if (device_step_->captured() && scores->capture_pays()) {
      const std::string reason = scores->capture();
      if (!reason.empty()) {
        options_.note("no CUDA graph for evaluations on " + set.name + ": " + reason);
      }
    }
  }
  evaluator.on_device = scores.get();
  return evaluator;
}

std::vector<std::map<std::string, double>> Pack::test_losses() {
  const Stopwatch stopwatch(members_, &TrainingCursor::evaluate_seconds);
  std::vector<std::map<std::string, double>> losses(members_.size());
  const int64_t tokens = members_.front().config().evaluate.tokens;
  for (const TestSet& set : test_sets_) {
    const auto means = mean_test_loss(evaluator_of(set), set, tokens);
    for (std::size_t r = 0; r < means.size(); ++r) losses[r][set.name] = means[r];
  }
  return losses;
}

void Pack::finish_members_at_horizon(const std::atomic<bool>& stop) {
  const auto due = [](const ReplicaRun& m) { return m.training() && m.cursor.step >= m.steps(); };
  if (std::ranges::none_of(members_, due)) return;
  check_ranks_agree();
  end_checkpoints();
  // First what took long; resumed from this very step, it is there already.
  advance_clock();
  write_checkpoints([&](const ReplicaRun& m) {
    return m.training() && !std::filesystem::exists(checkpoint_file(m.folder(), m.cursor.step));
  });
  std::vector<std::map<std::string, WindowScores>> results(members_.size());
  {
    const Stopwatch stopwatch(members_, &TrainingCursor::final_evaluate_seconds);
    for (const TestSet& set : test_sets_) {
      auto scores = score_test_set(evaluator_of(set), set, stop);
      evaluation_stopped_ = scores.empty();
      if (evaluation_stopped_) return;
      for (std::size_t r = 0; r < scores.size(); ++r) results[r][set.name] = std::move(scores[r]);
    }
  }
  advance_clock();
  for (std::size_t r = 0; r < members_.size(); ++r) {
    if (!due(members_[r])) continue;
    const bool finite = std::ranges::all_of(
        results[r], [](const auto& set) { return std::isfinite(set.second.result.loss_nats); });
    if (finite) {
      const std::string stays = members_[r].finish(RunState::kComplete, results[r],
                                                   facts_of(members_[r]), static_cast<int>(r));
      if (!stays.empty()) options_.note(stays);
    } else {
      end_diverged(r, step_, "the last update left a test loss that is not finite");
    }
  }
}

void Pack::end_diverged_members() {
  for (std::size_t r = 0; r < members_.size(); ++r) {
    if (!members_[r].training() || members_[r].cursor.diverged.empty()) continue;
    advance_clock();
    end_diverged(r, members_[r].cursor.step + 1, members_[r].cursor.diverged);
  }
}

void Pack::end_diverged(std::size_t r, int64_t step, const std::string& detail) {
  ReplicaRun& member = members_[r];
  end_checkpoints();
  options_.note(member.folder().path.string() + ": diverged at step " + std::to_string(step) +
                " (" + detail + ")");
  RunRecord facts = facts_of(member);
  facts.events.push_back({"diverged", step, detail});
  member.finish(RunState::kDiverged, {}, facts, static_cast<int>(r));
}

void Pack::write_checkpoints() {
  write_checkpoints([](const ReplicaRun& m) { return m.training(); });
}

void Pack::save_before_leaving() {
  try {
    end_checkpoints();
  } catch (const std::exception& error) {  // of one member; the others are written below
    options_.note(std::string("a checkpoint could not be written: ") + error.what());
  }
  if (updating_) return;
  try {
    advance_clock();
    write_checkpoints([](const ReplicaRun& m) { return m.training() && !m.is_lost(); });
  } catch (const std::exception& error) {
    options_.note(std::string("what was trained could not be saved: ") + error.what());
  }
}

CheckpointContent Pack::content_of(std::size_t r) {
  return {members_[r].folder(),
          members_[r].content_hash(),
          members_[r].cursor,
          optimizer_->updates_done(static_cast<int64_t>(r)),
          [&member = members_[r]] { member.check_folder(); },
          {},
          &members_[r].metrics()};
}

void Pack::write_checkpoints(const std::function<bool(const ReplicaRun&)>& of_member) {
  const Stopwatch stopwatch(members_, &TrainingCursor::checkpoint_seconds);
  end_checkpoints();
  CheckpointRound round;
  for (std::size_t r = 0; r < members_.size(); ++r) {
    if (!keeps_books() || !of_member(members_[r])) continue;
    members_[r].check_folder();
    CheckpointContent content = content_of(r);
    content.rows = rows_of(state_of(arena_, *optimizer_), static_cast<int64_t>(r));
    round.write(content, arena_.specs());
  }
  round.end();
}

void Pack::begin_checkpoints() {
  const double start = monotonic_seconds();
  const Stopwatch stopwatch(members_, &TrainingCursor::checkpoint_seconds);
  end_checkpoints();
  std::vector<CheckpointWriter::Member> members;
  for (std::size_t r = 0; r < members_.size(); ++r) {
    if (!members_[r].training()) continue;
    members_[r].check_folder();
    members.push_back({content_of(r), static_cast<int64_t>(r)});
  }
  writer_->begin(std::move(members));
  held_seconds_ = monotonic_seconds() - start;
}

bool Pack::checkpoints_are_written() const {
  return writer_->is_done();
}

double Pack::end_checkpoints() {
  if (!writer_) return 0;
  try {
    writer_->end();
  } catch (const DiskFull& error) {
    const std::vector<int64_t> steps = checkpoint_steps(members_.front().folder());
    options_.note(std::string(error.what()) + "; training goes on, and " +
                  (steps.empty() ? "no checkpoint is there yet"
                                 : "the checkpoint of step " + std::to_string(steps.front()) +
                                       " is the last whole one"));
  }
  return held_seconds_ + writer_->cpu_seconds();
}

}  // namespace scalelaw
