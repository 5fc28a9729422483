// What watches training: each is asked whether it is due. The train loop knows nothing else about
// them.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trainer/pack.h"

namespace scalelaw {

inline constexpr int64_t kNoStep = std::numeric_limits<int64_t>::max();

class Observer {
 public:
  virtual ~Observer() = default;
  // After update pack.step(), and once where training begins or goes on.
  virtual bool due(const Pack& pack) = 0;
  // The first step after pack.step() that must not be passed over. One that is due by the clock
  // sees whichever step the pack is at: kNoStep.
  virtual int64_t next_due(const Pack& pack) const { return pack.step() + 1; }
  virtual void observe(Pack& pack) = 0;
};

// Test losses at log-spaced steps, lines of metrics at their cadence and at every evaluation.
std::unique_ptr<Observer> make_metrics_observer(const Pack& pack);
// A checkpoint beside training every `seconds` of wall time; nullopt: as often as its cost allows;
// 0: never (the loop writes one when interrupted).
std::unique_ptr<Observer> make_checkpoint_observer(std::optional<double> seconds);
// Seconds from one checkpoint to the next, the most that a crash can lose, where one costs
// `cost_seconds`: such that checkpoints take at most 2 % of the time, and not less than 30. Of a
// model of few parameters one costs some milliseconds, for which Young's interval (1974),
// sqrt(2 * cost * time between failures), is 30 seconds at one failure a day.
double checkpoint_interval(double cost_seconds);
// One line of progress: rewritten in place on a terminal and ended with the observer, else a line
// of its own ten times as seldom. `write` gets the text; seconds 0: silent.
std::unique_ptr<Observer> make_progress_observer(const Pack& pack, double seconds, bool terminal,
                                                 std::function<void(const std::string&)> write);

}  // namespace scalelaw
