// Runs one of the project's programs as a user would: a process of its own.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace scalelaw {

struct ProgramResult {
  int exit_code = -1;  // -1: ended by a signal
  int signal = 0;
  std::string output;  // stdout and stderr together
};

// Of a program in the build's bin folder; a whole path stays.
std::filesystem::path program_path(const std::string& name);

// Where programs that are started from now on keep what they have measured ($XDG_CACHE_HOME);
// before, a place where nothing can be, so that no test reads what was measured on this machine.
void set_cache_home(const std::filesystem::path& folder);

// `arguments[0]` is a program's name in the build's bin folder, or a whole path.
ProgramResult run_program(const std::vector<std::string>& arguments);

// Starts it with output to a file; the caller waits or kills. It ignores `ignored_signals` and no
// stop signal besides, whatever these tests were started from (`&` in a script ignores SIGINT).
pid_t start_program(const std::vector<std::string>& arguments, const std::filesystem::path& output,
                    const std::vector<int>& ignored_signals = {});
ProgramResult wait_for(pid_t pid);

}  // namespace scalelaw
