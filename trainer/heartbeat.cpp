#include "trainer/heartbeat.h"

#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {

class HeartbeatThread {
 public:
  explicit HeartbeatThread(double seconds) : seconds_(seconds) {
    // Stop signals are for the threads that wait for them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~HeartbeatThread() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    end_.notify_one();
    thread_.join();
  }
  HeartbeatThread(const HeartbeatThread&) = delete;
  HeartbeatThread& operator=(const HeartbeatThread&) = delete;

  void add(const std::function<void()>* beat) {
    const std::lock_guard lock(mutex_);
    beats_.insert(beat);
  }
  void remove(const std::function<void()>* beat) {
    const std::lock_guard lock(mutex_);
    beats_.erase(beat);
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    const std::chrono::duration<double> interval(seconds_);
    while (!end_.wait_for(lock, interval, [this] { return ended_; })) {
      for (const std::function<void()>* beat : beats_) (*beat)();
    }
  }

  double seconds_;
  std::mutex mutex_;
  std::condition_variable end_;
  bool ended_ = false;
  std::set<const std::function<void()>*> beats_;
  std::thread thread_;
};

namespace {

std::shared_ptr<HeartbeatThread> thread_of_process() {
  static std::mutex mutex;
  static std::weak_ptr<HeartbeatThread> living;
  const std::lock_guard lock(mutex);
  std::shared_ptr<HeartbeatThread> thread = living.lock();
  if (!thread) living = thread = std::make_shared<HeartbeatThread>(heartbeat_seconds());
  return thread;
}

}  // namespace

double heartbeat_seconds() {
  constexpr double kSeconds = 5;
  const char* asked = std::getenv("SCALELAW_HEARTBEAT_SECONDS");
  if (asked == nullptr) return kSeconds;
  const std::optional<double> seconds = parse_real(asked);
  if (!seconds || *seconds <= 0) {
    throw ConfigError("SCALELAW_HEARTBEAT_SECONDS=" + std::string(asked) +
                      ": must be a number > 0");
  }
  return *seconds;
}

Heartbeat::Heartbeat(std::function<void()> beat)
    : thread_(thread_of_process()), beat_(std::move(beat)) {
  thread_->add(&beat_);
}

Heartbeat::~Heartbeat() {
  thread_->remove(&beat_);
}

}  // namespace scalelaw
