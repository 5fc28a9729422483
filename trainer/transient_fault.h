// Faults of network file systems that pass: a server that was away, a handle that it has forgotten.
#pragma once

#include <cerrno>
#include <chrono>
#include <thread>

namespace scalelaw {

inline bool is_transient(int error) {
  return error == ESTALE || error == EIO;
}

// `operation` returns an errno, 0 for success, and may be repeated: at most five times in a second
// where the fault is transient. Returns what it returned last.
template <typename Operation>
int with_retries(Operation operation) {
  constexpr int kTries = 5;
  std::chrono::milliseconds pause(50);
  int error = operation();
  for (int i = 1; i < kTries && is_transient(error); ++i) {
    std::this_thread::sleep_for(pause);
    pause *= 2;
    error = operation();
  }
  return error;
}

}  // namespace scalelaw
