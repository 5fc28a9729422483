#include "trainer/cli/doctor.h"
#include "trainer/escaped.h"
#include "trainer/profiles.h"

namespace scalelaw {

Finding examine_profiles(const Environment& environment) {
  const std::optional<std::filesystem::path> file = profiles_file(environment);
  if (!file) return {"profiles", Health::kGood, "none: HOME names no folder", ""};
  try {
    const std::optional<Profiles> profiles = read_profiles(*file, environment);
    if (!profiles) {
      return {"profiles", Health::kGood, escaped("none: there is no " + file->string()), ""};
    }
    std::string names;
    for (const Profile& profile : profiles->all)
      names += (names.empty() ? "" : ", ") + profile.name;
    if (names.empty()) names = "none";
    return {"profiles", Health::kGood, escaped(names + " in " + file->string()), ""};
  } catch (const ConfigError& fault) {
    return {"profiles", Health::kLimited, escaped(fault.what()),
            "until then sweeps run with --profile none"};
  }
}

}  // namespace scalelaw
