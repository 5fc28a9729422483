// Which signals ask a program to stop, the same for a trainer and a launcher of trainers.
#pragma once

#include <signal.h>

#include <array>
#include <atomic>

namespace scalelaw {

// Sent by the kernel to a trainer whose launcher died. Slurm can send it before a time limit
// (--signal=USR1@120).
inline constexpr int kPoliteStop = SIGUSR1;
inline constexpr std::array kStopSignals = {SIGINT, SIGTERM, SIGHUP, kPoliteStop};

// Whether a second one ends the program at once, without a checkpoint. SIGHUP, a connection that
// drops, and kPoliteStop come from no one who waits.
bool insists(int signal);
// Schedulers, wrappers and terminals send a signal twice at once: within this time it is one wish.
inline constexpr double kSecondsOfOneWish = 1.0;

// As nohup leaves SIGHUP, or `&` in a script SIGINT: it stays so.
bool is_ignored(int signal);

// From now on a stop signal sets the flag that is returned; a second one that insists ends the
// program by that signal.
const std::atomic<bool>& stop_on_signals();

}  // namespace scalelaw
