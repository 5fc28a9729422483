#include "sweeps/executors/local.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "trainer/child_process.h"
#include "trainer/clock.h"
#include "trainer/disk_space.h"
#include "trainer/escaped.h"
#include "trainer/stop_signals.h"

namespace scalelaw {
namespace {

constexpr std::size_t kHeadingBytes = 1024;  // well within what last_line() looks at

}  // namespace

std::vector<std::string> single_thread_environment(const std::vector<std::string>& more) {
  std::vector<std::string> set = {"OMP_NUM_THREADS=1", "OMP_WAIT_POLICY=PASSIVE",
                                  "OMP_PROC_BIND=false", "MKL_NUM_THREADS=1"};
  set.insert(set.end(), more.begin(), more.end());
  // Where to pin threads is an answer for one process: every child would pin its one thread to the
  // first core that these name.
  return environment_with(set, {"OMP_PLACES=", "GOMP_CPU_AFFINITY=", "KMP_AFFINITY="});
}

LocalExecutor::LocalExecutor() {
  sigemptyset(&waited_for_);
  sigaddset(&waited_for_, SIGCHLD);
  for (const int number : kStopSignals) {
    // Blocking would bring out what the process is to ignore.
    if (!is_ignored(number)) sigaddset(&waited_for_, number);
  }
  sigprocmask(SIG_BLOCK, &waited_for_, &mask_before_);
  // Where a supervisor left it ignored, the kernel takes the children's ends itself and tells none.
  struct sigaction usual = {};
  usual.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &usual, &child_action_before_);
}

LocalExecutor::~LocalExecutor() {
  sigaction(SIGCHLD, &child_action_before_, nullptr);
  sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

pid_t LocalExecutor::start(const LocalJob& job) {
  const int log = open(job.log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (log < 0) throw_disk_error(job.log.string(), errno);
  std::string heading = kHeading + utc_now();
  for (const std::string& word : job.command) {
    if (heading.size() < kHeadingBytes) heading += " " + escaped(word);
  }
  heading += heading.size() < kHeadingBytes ? "\n" : " ...\n";
  (void)!write(log, heading.data(), heading.size());

  pid_t child = 0;
  try {
    child =
        start_child({job.command, single_thread_environment(job.environment), log, mask_before_});
  } catch (const std::runtime_error&) {
    close(log);
    throw;
  }
  close(log);
  children_.push_back(child);
  return child;
}

std::optional<LocalExecutor::Event> LocalExecutor::reap() {
  for (const pid_t child : children_) {
    int status = 0;
    const pid_t result = waitpid(child, &status, WNOHANG);
    const bool taken_elsewhere = result < 0 && errno == ECHILD;
    if (result != child && !taken_elsewhere) continue;
    std::erase(children_, child);
    Event event;
    event.ended = child;
    if (WIFSIGNALED(status)) {
      event.end.signal = WTERMSIG(status);
    } else {
      event.end.exit_code = WEXITSTATUS(status);
    }
    return event;
  }
  return std::nullopt;
}

LocalExecutor::Event LocalExecutor::wait(double seconds) {
  if (const std::optional<Event> event = reap()) return *event;
  timespec timeout = {};
  timeout.tv_sec = static_cast<time_t>(seconds);
  timeout.tv_nsec = static_cast<long>(std::fmod(seconds, 1.0) * 1e9);
  const int number = sigtimedwait(&waited_for_, nullptr, &timeout);
  if (number == SIGCHLD) return reap().value_or(Event{});
  Event event;
  event.stop_signal = std::max(number, 0);
  return event;
}

void LocalExecutor::signal_all(int signal) const {
  for (const pid_t child : children_) kill(child, signal);
}

}  // namespace scalelaw
