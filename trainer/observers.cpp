#include "trainer/observers.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "trainer/clock.h"
#include "trainer/evaluate.h"
#include "trainer/evaluation_steps.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kShareOfTime = 0.02, kShortestInterval = 30;

class MetricsObserver : public Observer {
 public:
  explicit MetricsObserver(const Pack& pack)
      : evaluations_(evaluation_steps(pack.members().front().config().evaluate.points_per_decade,
                                      pack.last_step())) {}

  bool due(const Pack& pack) override {
    evaluate_ = std::ranges::binary_search(evaluations_, pack.step());
    return std::ranges::any_of(pack.members(), [&](const ReplicaRun& m) { return is_due(m); });
  }

  int64_t next_due(const Pack& pack) const override {
    const auto evaluation = std::ranges::upper_bound(evaluations_, pack.step());
    int64_t next = evaluation == evaluations_.end() ? kNoStep : *evaluation;
    for (const ReplicaRun& m : pack.members()) {
      if (m.training()) next = std::min(next, m.next_line());
    }
    return next;
  }

  void observe(Pack& pack) override {
    std::vector<std::map<std::string, double>> losses(pack.members().size());
    if (evaluate_) losses = pack.test_losses();
    pack.advance_clock();
    for (std::size_t r = 0; r < losses.size(); ++r) {
      ReplicaRun& member = pack.members()[r];
      if (!is_due(member)) continue;
      // Only the final evaluation speaks of a member's last step, in a pack as alone.
      if (pack.step() == member.steps()) losses[r].clear();
      member.write_line(pack.learning_rate(static_cast<int64_t>(r)), losses[r]);
    }
  }

 private:
  // Resumed at a step whose line is written already, a member has nothing to tell of it.
  bool is_due(const ReplicaRun& m) const {
    return m.training() && m.cursor.loss_since_line.count > 0 && (evaluate_ || m.line_due());
  }

  std::vector<int64_t> evaluations_;
  bool evaluate_ = false;
};

class CheckpointObserver : public Observer {
 public:
  explicit CheckpointObserver(std::optional<double> seconds) : seconds_(seconds) {}
  bool due(const Pack& pack) override {
    if (seconds_ == 0) return false;
    return begun_ ? pack.checkpoints_are_written() : monotonic_seconds() - last_ >= interval_;
  }
  int64_t next_due(const Pack&) const override { return kNoStep; }
  void observe(Pack& pack) override {
    if (begun_) {
      const double cost = pack.end_checkpoints();
      if (!seconds_) interval_ = checkpoint_interval(cost);
    } else {
      pack.advance_clock();
      pack.begin_checkpoints();
      last_ = monotonic_seconds();
    }
    begun_ = !begun_;
  }

 private:
  std::optional<double> seconds_;
  double interval_ = seconds_.value_or(kShortestInterval);
  double last_ = monotonic_seconds();
  bool begun_ = false;  // and not ended yet
};

// Of all members, ended ones included.
double trained_tokens(const Pack& pack) {
  int64_t tokens = 0;
  for (const ReplicaRun& m : pack.members())
    tokens += m.cursor.step * m.config().train.batch_tokens;
  return static_cast<double>(tokens);
}

class ProgressObserver : public Observer {
 public:
  ProgressObserver(const Pack& pack, double seconds, bool terminal,
                   std::function<void(const std::string&)> write)
      : seconds_(terminal ? seconds : 10 * seconds),
        terminal_(terminal),
        write_(std::move(write)),
        first_step_(pack.step()),
        first_tokens_(trained_tokens(pack)) {}
  ~ProgressObserver() override {
    if (line_is_open_) write_("\n");
  }
  ProgressObserver(const ProgressObserver&) = delete;
  ProgressObserver& operator=(const ProgressObserver&) = delete;

  bool due(const Pack& pack) override {
    if (seconds_ <= 0 || pack.finished() || pack.step() == first_step_) return false;
    return pack.step() == pack.last_step() || monotonic_seconds() - last_ >= seconds_;
  }
  int64_t next_due(const Pack&) const override { return kNoStep; }

  void observe(Pack& pack) override {
    last_ = monotonic_seconds();
    const double elapsed = monotonic_seconds() - start_;
    const auto done = static_cast<double>(pack.step() - first_step_);
    const auto left = static_cast<double>(pack.last_step() - pack.step());
    double sum = 0;
    std::size_t living = 0;  // the others' rows are frozen and their losses stale
    for (std::size_t r = 0; r < pack.members().size(); ++r) {
      if (!pack.members()[r].training()) continue;
      sum += pack.last_result().loss_nats[r];
      ++living;
    }
    const std::string of = pack.members().size() == 1
                               ? ""
                               : " (mean of " + std::to_string(living) + " runs in training)";
    char line[256];
    std::snprintf(line, sizeof line,
                  "step %lld of %lld  train loss %.3f nats/token%s  %s tokens/s  %.0f s left",
                  static_cast<long long>(pack.step()), static_cast<long long>(pack.last_step()),
                  sum / static_cast<double>(living), of.c_str(),
                  human((trained_tokens(pack) - first_tokens_) / elapsed).c_str(),
                  left * elapsed / done);
    write_(terminal_ ? "\r\x1b[K" + std::string(line) : std::string(line) + "\n");
    line_is_open_ = terminal_;
  }

 private:
  double seconds_;
  bool terminal_;
  std::function<void(const std::string&)> write_;
  double start_ = monotonic_seconds(), last_ = start_;
  int64_t first_step_;
  double first_tokens_;
  bool line_is_open_ = false;
};

}  // namespace

std::unique_ptr<Observer> make_metrics_observer(const Pack& pack) {
  return std::make_unique<MetricsObserver>(pack);
}

double checkpoint_interval(double cost_seconds) {
  return std::max(cost_seconds / kShareOfTime, kShortestInterval);
}

std::unique_ptr<Observer> make_checkpoint_observer(std::optional<double> seconds) {
  return std::make_unique<CheckpointObserver>(seconds);
}

std::unique_ptr<Observer> make_progress_observer(const Pack& pack, double seconds, bool terminal,
                                                 std::function<void(const std::string&)> write) {
  return std::make_unique<ProgressObserver>(pack, seconds, terminal, std::move(write));
}

}  // namespace scalelaw
