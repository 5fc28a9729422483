// Processes on this machine: one single-thread process a core.
//
// Each child runs in its own process group (a Ctrl-C on the terminal reaches the launcher alone,
// which forwards it once), with its output appended to a log, no input, OMP_NUM_THREADS=1,
// OMP_WAIT_POLICY=PASSIVE, OMP_PROC_BIND=false and MKL_NUM_THREADS=1 set and lists of cores to pin
// threads to unset before exec (OpenMP reads them once, at start), and with kPoliteStop due when
// the launcher dies in any way, so that it checkpoints and ends, also where it was stopping
// already.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/status/sweep_folder.h"

namespace scalelaw {

struct LocalJob {
  std::vector<std::string> command;           // program's path first
  std::filesystem::path log;                  // its folder is there
  std::vector<std::string> environment = {};  // "NAME=value", over the launcher's
};

// This process's environment for a child that computes with one thread, with "NAME=value" over it.
std::vector<std::string> single_thread_environment(const std::vector<std::string>& more = {});

class LocalExecutor {
 public:
  // For its lifetime stop signals (trainer/stop_signals.h; those that were not ignored before) and
  // SIGCHLD are blocked in this thread and come out of wait() instead. One executor a process,
  // used from one thread, which outlives it.
  LocalExecutor();
  ~LocalExecutor();
  LocalExecutor(const LocalExecutor&) = delete;
  LocalExecutor& operator=(const LocalExecutor&) = delete;

  // Begins the line that each attempt's output begins with.
  static constexpr const char* kHeading = "--- ";
  // The child's process id. std::runtime_error when the log cannot be opened or fork fails; a
  // program that cannot be executed ends with exit 127 and says so in the log.
  pid_t start(const LocalJob& job);

  struct Event {
    pid_t ended = 0;      // 0: nothing ended
    ProcessEnd end;       // exit 0 where somebody else took it: what the process left tells
    int stop_signal = 0;  // that reached this process; 0: none did
  };
  // The next thing that happens, or neither after `seconds`.
  Event wait(double seconds);

  void signal_all(int signal) const;
  std::size_t running() const { return children_.size(); }

 private:
  std::optional<Event> reap();

  sigset_t waited_for_, mask_before_;
  struct sigaction child_action_before_;
  std::vector<pid_t> children_;
};

}  // namespace scalelaw
