// `scalelaw train --processes N`: N ranks on this machine that behave as one program.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace scalelaw {

struct LaunchOptions {
  std::vector<std::string> command;  // of a rank, program first; it reads its rank (--group env)
  int processes = 2;
  std::function<void(const std::string&)> note;  // one line for the log; never empty
};

// Starts the ranks with the variables that torchrun sets, passes stop signals on to all of them
// (a Ctrl-C reaches the launcher alone) and returns when all have ended. Rank 0 has this process's
// output; of another rank only an error is shown. Ranks end on kPoliteStop when the launcher dies.
//
// The exit code is 0 when all ranks end so; else 2 where one refuses its input, 1 where one crashes
// or cannot go on, and 3 where they were stopped or one was killed: the others notice, and the same
// command goes on.
int launch_ranks(const LaunchOptions& options);

}  // namespace scalelaw
