// A person's profiles (~/.config/scalelaw/profiles.yaml).
#include "trainer/profiles.h"

#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const auto home = [](const std::string&) -> std::optional<std::string> { return "/home/me"; };
  for (const Profile& profile : parse_profiles(bytes, "profiles.yaml", home).all) {
    require(profile.name != kNoProfile, "the name that means none is nobody's");
    for (const auto& path : {profile.runs, profile.data, profile.device_file}) {
      require(!path || path->is_absolute(), "a profile's paths are whole");
    }
    require(profile.executor.jobs.value_or(0) <= kMostJobs, "processes are limited");
    require(profile.executor.replicas.value_or(0) <= kMostReplicas, "packs are limited");
  }
}

}  // namespace scalelaw
