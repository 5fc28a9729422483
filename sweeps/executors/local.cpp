#include "sweeps/executors/local.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "trainer/clock.h"
#include "trainer/stop_signals.h"

extern char** environ;

namespace scalelaw {
namespace {

// Where to pin threads is an answer for one process: every child would pin its one thread to the
// first core that these name.
constexpr std::array<std::string_view, 3> kPinning = {
    "OMP_PLACES=", "GOMP_CPU_AFFINITY=", "KMP_AFFINITY="};

std::vector<std::string> single_thread_environment(const std::vector<std::string>& more) {
  std::vector<std::string> set = {"OMP_NUM_THREADS=1", "OMP_WAIT_POLICY=PASSIVE",
                                  "OMP_PROC_BIND=false", "MKL_NUM_THREADS=1"};
  set.insert(set.end(), more.begin(), more.end());
  std::vector<std::string> environment = set;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view key = text.substr(0, text.find('=') + 1);
    const bool replaced = std::any_of(set.begin(), set.end(),
                                      [&](const auto& ours) { return ours.starts_with(key); });
    const bool pins = std::find(kPinning.begin(), kPinning.end(), key) != kPinning.end();
    if (!replaced && !pins) environment.emplace_back(text);
  }
  return environment;
}

std::vector<char*> c_strings(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct ChildSetup {
  char* const* argv;
  char* const* envp;
  int log;
  pid_t launcher;
  const sigset_t* mask;
};

// Between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(const ChildSetup& setup) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, kPoliteStop);
  if (getppid() != setup.launcher) _exit(127);  // it died before prctl
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing > STDIN_FILENO) {
    dup2(nothing, STDIN_FILENO);
    close(nothing);
  }
  dup2(setup.log, STDOUT_FILENO);
  dup2(setup.log, STDERR_FILENO);
  // What the launcher was started to ignore (`trap '' TERM`) is how it speaks to its runs.
  signal(SIGTERM, SIG_DFL);
  signal(kPoliteStop, SIG_DFL);
  sigprocmask(SIG_SETMASK, setup.mask, nullptr);
  execve(setup.argv[0], setup.argv, setup.envp);
  const char message[] = "the program cannot be executed\n";
  (void)!write(STDERR_FILENO, message, sizeof message - 1);
  _exit(127);
}

}  // namespace

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
  if (log < 0) throw std::runtime_error(job.log.string() + ": " + std::strerror(errno));
  std::string heading = kHeading + utc_now();
  for (const std::string& word : job.command) heading += " " + word;
  heading += "\n";
  (void)!write(log, heading.data(), heading.size());

  std::vector<std::string> command = job.command;
  std::vector<std::string> environment = single_thread_environment(job.environment);
  const std::vector<char*> argv = c_strings(command);
  const std::vector<char*> envp = c_strings(environment);
  const ChildSetup setup{argv.data(), envp.data(), log, getpid(), &mask_before_};
  const pid_t child = fork();
  if (child == 0) become(setup);
  const int reason = errno;
  close(log);
  if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(reason));
  setpgid(child, child);  // here too: whoever comes first
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
