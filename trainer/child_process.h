// A program as a process of its own, in its own process group (a Ctrl-C on the terminal reaches
// whoever started it alone), that is asked to end when that one dies in any way.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace scalelaw {

struct ChildProgram {
  std::vector<std::string> command;      // its path first
  std::vector<std::string> environment;  // all of it, "KEY=value"
  int output = -1;                       // descriptor that takes what it prints; -1: as here
  sigset_t blocked = {};                 // signals that it starts with blocked
  int input = -1;                        // descriptor that it reads from; -1: nothing
};

// The child's process id. It gets kPoliteStop when this process dies. A program
// that cannot be executed ends with exit 127 and says so. std::runtime_error where none can be
// made.
pid_t start_child(ChildProgram program);

// This process's environment with each "KEY=value" of `set` instead of what it says of KEY, and
// without the variables of `unset`, given as "KEY=".
std::vector<std::string> environment_with(const std::vector<std::string>& set,
                                          const std::vector<std::string>& unset);

}  // namespace scalelaw
