#include "trainer/parallel/launcher.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iostream>
#include <stdexcept>

#include "trainer/child_process.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/parallel/rendezvous.h"
#include "trainer/stop_signals.h"

namespace scalelaw {
namespace {

// The others notice a lost rank by themselves, and rank 0 then writes a checkpoint.
constexpr double kSecondsToNotice = 300;

struct Rank {
  pid_t pid = 0;
  int output = -1;  // of all but rank 0: kept until it is known whether anybody needs it
  bool ended = false;
  int status = 0;

  bool failed() const {
    return WIFSIGNALED(status) ||
           (WEXITSTATUS(status) != kExitComplete && WEXITSTATUS(status) != kExitInterrupted);
  }
};

std::vector<std::string> environment_of(int rank, int size, int port) {
  const std::string number = std::to_string(rank), all = std::to_string(size);
  return environment_with(
      {"RANK=" + number, "LOCAL_RANK=" + number, "WORLD_SIZE=" + all, "LOCAL_WORLD_SIZE=" + all,
       "MASTER_ADDR=127.0.0.1", "MASTER_PORT=" + std::to_string(port), "OMP_PROC_BIND=false",
       "TORCHELASTIC_USE_AGENT_STORE=True"},
      // Lists of cores to pin threads to are an answer for one process.
      {"OMP_PLACES=", "GOMP_CPU_AFFINITY=", "KMP_AFFINITY=", "TORCHELASTIC_RESTART_COUNT="});
}

class Launch {
 public:
  explicit Launch(const LaunchOptions& options) : options_(options) {
    sigemptyset(&waited_for_);
    sigaddset(&waited_for_, SIGCHLD);
    for (const int number : kStopSignals) {
      if (!is_ignored(number)) sigaddset(&waited_for_, number);
    }
    // Before the meeting place has threads, which inherit it.
    sigprocmask(SIG_BLOCK, &waited_for_, &mask_before_);
    signal(SIGCHLD, SIG_DFL);
  }
  ~Launch() {
    for (const Rank& rank : ranks_) {
      if (rank.output >= 0) close(rank.output);
    }
    sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;

  int run() {
    const MeetingPlace meeting_place;
    for (int rank = 0; rank < options_.processes; ++rank) start(rank, meeting_place.port());
    while (std::ranges::any_of(ranks_, [](const Rank& rank) { return !rank.ended; })) {
      const timespec second = {1, 0};
      const int number = sigtimedwait(&waited_for_, nullptr, &second);
      reap();
      if (number > 0 && number != SIGCHLD) pass_on(number);
      if (ended_at_ > 0 && monotonic_seconds() - ended_at_ > kSecondsToNotice) signal_all(SIGKILL);
    }
    return exit_code();
  }

 private:
  void start(int number, int port) {
    Rank rank;
    if (number > 0) rank.output = memfd_create("rank", MFD_CLOEXEC);
    try {
      rank.pid = start_child({options_.command, environment_of(number, options_.processes, port),
                              rank.output, mask_before_});
    } catch (const std::runtime_error& error) {
      signal_all(SIGKILL);
      throw std::runtime_error("a process for rank " + std::to_string(number) +
                               " could not be started: " + error.what());
    }
    ranks_.push_back(rank);
  }

  void reap() {
    for (Rank& rank : ranks_) {
      if (rank.ended || waitpid(rank.pid, &rank.status, WNOHANG) != rank.pid) continue;
      rank.ended = true;
      const bool complete = WIFEXITED(rank.status) && WEXITSTATUS(rank.status) == kExitComplete;
      if (!complete && ended_at_ == 0) ended_at_ = monotonic_seconds();
      if (!WIFEXITED(rank.status) || WEXITSTATUS(rank.status) != kExitBadInput) continue;
      refused_ = true;
      signal_all(SIGTERM);  // they may be waiting for it
    }
  }

  void pass_on(int number) {
    const double now = monotonic_seconds();
    const bool first = stopped_at_ == 0;
    if (first) stopped_at_ = now;
    signal_all(number);
    if (first || !insists(number) || now - stopped_at_ <= kSecondsOfOneWish) return;
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    signal(number, SIG_DFL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &only, nullptr);
  }

  void signal_all(int number) const {
    for (const Rank& rank : ranks_) {
      if (!rank.ended) kill(rank.pid, number);
    }
  }

  int exit_code() {
    bool crashed = false, stopped = false;
    for (std::size_t i = 0; i < ranks_.size(); ++i) {
      const Rank& rank = ranks_[i];
      const std::string name = "rank " + std::to_string(i);
      if (WIFSIGNALED(rank.status)) {
        const int number = WTERMSIG(rank.status);
        const bool from_outside = number == SIGKILL || std::ranges::count(kStopSignals, number) > 0;
        (from_outside ? stopped : crashed) = true;
        if (refused_) continue;
        options_.note(name + " was ended by signal " + std::to_string(number) + " (" +
                      strsignal(number) + "); the same command goes on from the last checkpoint");
        continue;
      }
      const int code = WEXITSTATUS(rank.status);
      stopped = stopped || code == kExitInterrupted;
      crashed = crashed || (rank.failed() && code != kExitBadInput);
      if (rank.failed()) show_output(name, rank.output);
    }
    if (refused_) return kExitBadInput;
    if (crashed) return kExitOther;
    return stopped ? kExitInterrupted : kExitComplete;
  }

  static void show_output(const std::string& name, int output) {
    if (output < 0) return;
    std::string text(static_cast<std::size_t>(std::max<off_t>(0, lseek(output, 0, SEEK_END))), ' ');
    const ssize_t read = pread(output, text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read)));
    if (!text.empty()) std::cerr << name << ": " << text << std::flush;
  }

  const LaunchOptions& options_;
  sigset_t waited_for_, mask_before_;
  std::vector<Rank> ranks_;
  double stopped_at_ = 0;  // monotonic; 0: not yet
  double ended_at_ = 0;    // a rank, and not as one that is complete
  bool refused_ = false;
};

}  // namespace

int launch_ranks(const LaunchOptions& options) {
  return Launch(options).run();
}

}  // namespace scalelaw
