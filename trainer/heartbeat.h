// What is done every few seconds while something lasts, on one thread for the whole process:
// counting up leases (trainer/run_lease.h), noting what an attempt costs (trainer/attempt_cost.h).
#pragma once

#include <functional>
#include <memory>

namespace scalelaw {

// 5, or what SCALELAW_HEARTBEAT_SECONDS says; ConfigError where that is no number > 0.
double heartbeat_seconds();

class HeartbeatThread;

class Heartbeat {
 public:
  // `beat` is called from another thread and does not throw. The first time a heartbeat from now.
  explicit Heartbeat(std::function<void()> beat);
  ~Heartbeat();  // `beat` is not being called any more afterwards
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  std::shared_ptr<HeartbeatThread> thread_;  // shared by all that live
  std::function<void()> beat_;
};

}  // namespace scalelaw
