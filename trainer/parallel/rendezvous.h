// How ranks find each other, and make sure that they are about the same run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "trainer/parallel/membership.h"
#include "trainer/parallel/rank_group.h"

namespace scalelaw {

// What must be equal on all ranks, by the name that a message calls it.
using Credentials = std::map<std::string, std::string>;

struct RendezvousOptions {
  std::filesystem::path runs;  // where a meeting file lies
  Credentials credentials;
  at::Device device{at::kCPU};      // of the tensors that are summed; others may be on the CPU
  double seconds_to_meet = 300;     // for all to arrive
  double seconds_to_answer = 1800;  // for one operation; a process that ends is noticed at once
};

// Returns once all ranks are there. ConfigError, the same on every rank, names the first rank whose
// credentials differ from rank 0's, and how; LostRank when some did not come in time.
std::shared_ptr<RankGroup> join_group(const Membership& membership,
                                      const RendezvousOptions& options);

// A meeting place for processes that this one starts on this machine, as long as it lives.
class MeetingPlace {
 public:
  MeetingPlace();
  ~MeetingPlace();
  int port() const;

 private:
  struct Store;
  std::unique_ptr<Store> store_;
};

}  // namespace scalelaw
