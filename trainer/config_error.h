// The one error that is the user's to mend: a bad configuration, bad input, a folder in use.
// Programs catch it once, in main, print what() and exit with 2; nothing has been written then.
#pragma once

#include <stdexcept>
#include <string>

namespace scalelaw {

class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Exit codes shared by every program.
inline constexpr int kExitComplete = 0;
inline constexpr int kExitOther = 1;        // disk, device, our own mistakes
inline constexpr int kExitBadInput = 2;     // ConfigError
inline constexpr int kExitInterrupted = 3;  // a checkpoint is there; the same command goes on

}  // namespace scalelaw
