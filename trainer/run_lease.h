// One process a run folder, on any machine that sees the folder, whether or not its file system
// knows locks (NFS with nolock, Lustre with localflock). A crash leaves nothing to clean up.
//
//   FOLDER/lease.0003.json   the third holder's; the highest number counts
//
// A lease is made by exclusive create, so of all that reach for one number one wins, and its number
// only grows: the holder of 3 has lost the folder from the moment that 4 is there, for good. In it
// stand a random token, the process (trainer/process_life.h) and a counter that the holder
// (trainer/heartbeat.h) raises every few seconds. A reader takes it for
//   free     when it says that it was released, or its process is of this machine and gone;
//   held     when its process is of this machine and runs, or the counter has moved;
//   stale    when the counter has stood still for twelve of the holder's heartbeats, as counted on
//            the reader's own monotonic clock while it was itself awake: no clocks are compared;
//   unknown  until one of these is seen: of another machine, or stopped.
// A stale lease is ended by whoever makes the next number. The holder looks for one at each
// heartbeat and before everything that it publishes, and stops where it finds one. What is left to
// chance is a holder that is suspended between that look and the publishing, for longer than it
// takes to be found stale: run.json is linked without overwriting, and all else that is written is
// what the next holder would write. Nothing is removed but what was seen before such a look, or
// while nobody could have been next (trainer/leftovers.h).
//
// There is no lock beside it: where locks work they would say nothing that the process table does
// not, and where they do not work they grant themselves to everybody.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "trainer/heartbeat.h"

namespace scalelaw {

enum class LeaseState { kFree, kHeld, kStale, kUnknown };

// The newest lease at one moment.
struct LeaseLook {
  int number = 0;       // 0: there is none
  std::string content;  // of its file; "" where it is listed and is not there (any more)
  std::string token;    // "" where the file cannot be understood
  std::string holder;   // "pid 4711 on node3"
  double heartbeat_seconds = 0;
  LeaseState state = LeaseState::kFree;  // never kStale: that takes time
};
// Takes and changes nothing. A folder that is not there is free. std::runtime_error of a disk,
// ConfigError of a folder that may not be read.
LeaseLook look_at_lease(const std::filesystem::path& folder);

// Who holds the folder, for what is known at once; a look that cannot know says held.
std::optional<std::string> lease_holder(const std::filesystem::path& folder);

// Looks at one folder again and again, as often as its owner calls.
class LeaseWatch {
 public:
  explicit LeaseWatch(std::filesystem::path folder) : folder_(std::move(folder)) {}
  LeaseState look();
  const LeaseLook& seen() const { return seen_; }

 private:
  std::filesystem::path folder_;
  LeaseLook seen_;
  bool has_looked_ = false, has_moved_ = false;
  double looked_at_ = 0, stood_still_seconds_ = 0;
};

// Ends the stale lease that `seen` is, for whoever comes next; false where another was first, or
// its file has changed since.
bool end_stale_lease(const std::filesystem::path& folder, const LeaseLook& seen);

// 32 hex digits that nobody else draws.
std::string random_token();

// Returns when all the folders are free, having ended the stale leases among them: at once where
// everything is known. ConfigError, as RunLease's, as soon as one is held. `note` is told once
// where there is something to wait for.
void await_free(const std::vector<std::filesystem::path>& folders,
                const std::function<void(const std::string&)>& note);

// Another process has the folder now.
class LostLease : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class RunLease {
 public:
  // Makes the folder where it is missing and takes it, after await_free(). ConfigError when another
  // process, or this one through another RunLease, has it (names pid and host), or when the folder
  // cannot be written; std::runtime_error for other faults of the disk.
  explicit RunLease(const std::filesystem::path& folder);
  ~RunLease();  // releases
  RunLease(const RunLease&) = delete;
  RunLease& operator=(const RunLease&) = delete;

  const std::string& token() const { return token_; }
  // Looks again. LostLease where another process took the folder over; std::runtime_error where the
  // folder was removed or moved.
  void check() const;
  // What the last heartbeat or check() saw; costs nothing.
  bool is_lost() const { return lost_; }

 private:
  void beat();
  std::string content(bool released) const;

  std::filesystem::path folder_;
  std::string token_;
  int number_ = 0;
  int64_t beats_ = 0;  // the heartbeat's thread alone
  mutable std::atomic<bool> lost_{false};
  std::optional<Heartbeat> heartbeat_;
};

// In what a refusal says when a run was completed between a look and the taking.
inline constexpr const char* kCompletedMeanwhile = ": was completed by another process just now";
// In what a LostLease says.
inline constexpr const char* kTakenOver = " has taken this run over";

}  // namespace scalelaw
