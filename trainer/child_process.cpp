#include "trainer/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "trainer/stop_signals.h"

extern char** environ;

namespace scalelaw {
namespace {

std::vector<char*> c_strings(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct ChildSetup {
  char* const* argv;
  char* const* envp;
  int output;
  int input;
  pid_t parent;
  const sigset_t* blocked;
};

// Between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(const ChildSetup& setup) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, kPoliteStop);
  if (getppid() != setup.parent) _exit(127);  // it died before prctl
  if (setup.input >= 0) {
    dup2(setup.input, STDIN_FILENO);
  } else if (const int nothing = open("/dev/null", O_RDONLY); nothing > STDIN_FILENO) {
    dup2(nothing, STDIN_FILENO);
    close(nothing);
  }
  if (setup.output >= 0) {
    dup2(setup.output, STDOUT_FILENO);
    dup2(setup.output, STDERR_FILENO);
  }
  // What the parent was started to ignore (`trap '' TERM`) is how it speaks to its children.
  signal(SIGTERM, SIG_DFL);
  signal(kPoliteStop, SIG_DFL);
  sigprocmask(SIG_SETMASK, setup.blocked, nullptr);
  execve(setup.argv[0], setup.argv, setup.envp);
  const char message[] = "the program cannot be executed\n";
  (void)!write(STDERR_FILENO, message, sizeof message - 1);
  _exit(127);
}

}  // namespace

pid_t start_child(ChildProgram program) {
  const std::vector<char*> argv = c_strings(program.command);
  const std::vector<char*> envp = c_strings(program.environment);
  const ChildSetup setup{argv.data(),   envp.data(), program.output,
                         program.input, getpid(),    &program.blocked};
  const pid_t child = fork();
  if (child == 0) become(setup);
  if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  setpgid(child, child);  // here too: whoever comes first
  return child;
}

std::vector<std::string> environment_with(const std::vector<std::string>& set,
                                          const std::vector<std::string>& unset) {
  std::vector<std::string> environment = set;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view key = text.substr(0, text.find('=') + 1);
    const bool replaced =
        std::ranges::any_of(set, [&](const auto& ours) { return ours.starts_with(key); });
    if (!replaced && std::ranges::find(unset, key) == unset.end()) environment.emplace_back(text);
  }
  return environment;
}

}  // namespace scalelaw
