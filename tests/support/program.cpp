#include "tests/support/program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/temp_dir.h"
#include "trainer/stop_signals.h"

namespace scalelaw {

static std::string& cache_home() {
  static std::string folder = "/dev/null/no-cache";
  return folder;
}

void set_cache_home(const std::filesystem::path& folder) {
  cache_home() = folder.string();
}

std::filesystem::path program_path(const std::string& name) {
  return std::filesystem::path(SCALELAW_BIN_DIR) / name;
}

pid_t start_program(const std::vector<std::string>& arguments, const std::filesystem::path& output,
                    const std::vector<int>& ignored_signals) {
  const std::filesystem::path program = program_path(arguments.at(0));
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const std::string cache = cache_home();
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) {
    setenv("XDG_CACHE_HOME", cache.c_str(), 1);
    for (const int number : kStopSignals) signal(number, SIG_DFL);
    for (const int number : ignored_signals) signal(number, SIG_IGN);
    const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    execv(program.c_str(), argv.data());
    _exit(127);
  }
  return pid;
}

ProgramResult wait_for(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) throw std::runtime_error("waitpid failed");
  ProgramResult result;
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

ProgramResult run_program(const std::vector<std::string>& arguments) {
  const TempDir temp;
  const auto output = temp.path() / "output";
  ProgramResult result = wait_for(start_program(arguments, output));
  std::ostringstream text;
  text << std::ifstream(output).rdbuf();
  result.output = text.str();
  return result;
}

}  // namespace scalelaw
