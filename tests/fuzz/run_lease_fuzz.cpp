// lease.0001.json
#include <nlohmann/json.hpp>
#include <string>

#include "tests/fuzz/fuzz_target.h"
#include "trainer/json_text.h"
#include "trainer/process_life.h"
#include "trainer/run_lease.h"

namespace scalelaw {
namespace {

LeaseLook look_at(std::string_view bytes) {
  scratch_file("lease.0001.json", bytes);
  LeaseLook look = look_at_lease(scratch_folder());
  require(look.number == 1, "the lease is found whatever it holds");
  require(look.state != LeaseState::kStale, "what is stale shows in time alone");
  require(look.heartbeat_seconds >= 0.001 && look.heartbeat_seconds <= 3600,
          "nobody is waited for for ever");
  require(lease_holder(scratch_folder()).has_value() == (look.state != LeaseState::kFree),
          "what is not free has a holder");
  LeaseWatch watch(scratch_folder());
  require(watch.look() == look.state && watch.look() == look.state,
          "what stands still and is not stale yet is what it was");
  if (look.state == LeaseState::kFree) return look;
  require(end_stale_lease(scratch_folder(), look), "any lease can be ended");
  require(!lease_holder(scratch_folder()), "a folder whose lease was ended is free");
  std::filesystem::remove(scratch_folder() / "lease.0002.json");
  return look;
}

// The same lease of a process of this machine, of which the process table knows.
void look_at_own(nlohmann::json lease) {
  const ProcessName here = this_process();
  lease["host"] = here.host;
  lease["boot"] = here.boot;
  lease["pid_namespace"] = here.pid_namespace;
  const LeaseLook of_any = look_at(lease.dump());
  const auto released = lease.find("released");
  const bool is_told = released != lease.end() && released->is_boolean();
  // A holder is named where the process was understood.
  require(of_any.holder.find(" on " + here.host) == std::string::npos || !is_told ||
              of_any.state != LeaseState::kUnknown,
          "of this machine it is known at once who is there");
  lease["pid"] = here.pid;
  lease["started"] = here.started;
  const LeaseLook of_this = look_at(lease.dump());
  if (of_this.holder != describe(here) || !is_told) return;
  require(of_this.state == (released->get<bool>() ? LeaseState::kFree : LeaseState::kHeld),
          "what this process holds is held until it is released");
}

}  // namespace

void read_hostile(std::string_view bytes) {
  look_at(bytes);
  look_at_own(parse_json_object(bytes));
}

}  // namespace scalelaw
