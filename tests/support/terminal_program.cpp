#include "tests/support/terminal_program.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

#include "trainer/clock.h"
#include "trainer/stop_signals.h"

namespace scalelaw {

TerminalProgram::TerminalProgram(const std::vector<std::string>& arguments, int rows, int columns) {
  const std::filesystem::path program = program_path(arguments.at(0));
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  winsize size = {};
  size.ws_row = static_cast<unsigned short>(rows);
  size.ws_col = static_cast<unsigned short>(columns);
  pid_ = forkpty(&terminal_, nullptr, nullptr, &size);
  if (pid_ < 0) throw std::runtime_error("forkpty failed");
  if (pid_ > 0) return;
  for (const int number : kStopSignals) signal(number, SIG_DFL);
  execv(program.c_str(), argv.data());
  _exit(127);
}

TerminalProgram::~TerminalProgram() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(terminal_);
}

void TerminalProgram::type(const std::string& keys) {
  if (write(terminal_, keys.data(), keys.size()) < 0) throw std::runtime_error("write failed");
}

void TerminalProgram::resize(int rows, int columns) {
  winsize size = {};
  size.ws_row = static_cast<unsigned short>(rows);
  size.ws_col = static_cast<unsigned short>(columns);
  ioctl(terminal_, TIOCSWINSZ, &size);
}

bool TerminalProgram::read_some() {
  pollfd ready = {terminal_, POLLIN, 0};
  if (poll(&ready, 1, 50) == 0) return true;
  char buffer[4096];
  const ssize_t length = read(terminal_, buffer, sizeof buffer);
  if (length <= 0) return false;  // EIO: nobody has the terminal any more
  output_.append(buffer, static_cast<std::size_t>(length));
  return true;
}

bool TerminalProgram::read_until(const std::function<bool(const std::string&)>& holds) {
  constexpr double kSeconds = 10;
  const double start = monotonic_seconds();
  while (!holds(output_)) {
    if (monotonic_seconds() - start > kSeconds || !read_some()) return holds(output_);
  }
  return true;
}

ProgramResult TerminalProgram::end() {
  while (read_some()) {
  }
  ProgramResult result = wait_for(pid_);
  pid_ = 0;
  result.output = output_;
  return result;
}

}  // namespace scalelaw
