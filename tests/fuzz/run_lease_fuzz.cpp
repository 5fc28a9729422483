// lease.0001.json
#include "tests/fuzz/fuzz_target.h"
#include "trainer/run_lease.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  scratch_file("lease.0001.json", bytes);
  const LeaseLook look = look_at_lease(scratch_folder());
  require(look.number == 1, "the lease is found whatever it holds");
  require(look.state != LeaseState::kStale, "what is stale shows in time alone");
  require(look.heartbeat_seconds >= 0.001 && look.heartbeat_seconds <= 3600,
          "nobody is waited for for ever");
  require(lease_holder(scratch_folder()).has_value() == (look.state != LeaseState::kFree),
          "what is not free has a holder");
  LeaseWatch watch(scratch_folder());
  require(watch.look() == look.state && watch.look() == look.state,
          "what stands still and is not stale yet is what it was");
  if (look.state == LeaseState::kFree) return;
  require(end_stale_lease(scratch_folder(), look), "any lease can be ended");
  require(!lease_holder(scratch_folder()), "a folder whose lease was ended is free");
  std::filesystem::remove(scratch_folder() / "lease.0002.json");
}

}  // namespace scalelaw
