#include "sweeps/plan/executor_options.h"

#include <algorithm>
#include <optional>

#include "trainer/config_error.h"

namespace scalelaw {
namespace {

// As named by an option or in a file.
class NamedProfile {
 public:
  NamedProfile(const SweepExecutor& executor, const std::optional<std::string>& option)
      : in_file_(option ? std::nullopt : executor.profile),
        name_(in_file_ ? in_file_->text : option.value_or(kNoProfile)) {}

  const std::string& name() const { return name_; }
  [[noreturn]] void fail(const std::string& rule) const {
    if (in_file_) throw_config_error(*in_file_, "executor.profile", rule);
    throw ConfigError("--profile " + name_ + ": " + rule);
  }

 private:
  std::optional<SourcedText> in_file_;
  std::string name_;
};

Profile find(const NamedProfile& named, const Profiles& profiles) {
  const auto found = std::ranges::find(profiles.all, named.name(), &Profile::name);
  if (found != profiles.all.end()) return *found;
  named.fail("no such profile in " + profiles.file.string() +
             other_profiles(named.name(), profiles));
}

Profiles profiles_for(const NamedProfile& named, const EnvironmentOf& environment) {
  const std::string without = std::string("; --profile ") + kNoProfile + " goes without";
  const std::optional<std::filesystem::path> file = profiles_file(environment);
  if (!file) named.fail("there are no profiles, since HOME names no folder" + without);
  const std::optional<Profiles> profiles = read_profiles(*file, environment);
  if (!profiles) named.fail("there are no profiles, since there is no " + file->string() + without);
  return *profiles;
}

// One setting after another, each from where it is said first.
class Taker {
 public:
  Taker(const SweepExecutor& executor, const std::optional<Profile>& profile,
        const VerbOptions& verb, PlanArguments& arguments)
      : file_(executor.settings), profile_(profile), verb_(verb), arguments_(arguments) {}

  void take_places() {
    if (!profile_) return;
    take("--runs", profile_->runs);
    take("--data", profile_->data);
  }

  void take_workers() {
    if (!verb_.is_given("--device")) {
      if (profile_ && profile_->executor.device)
        arguments_.device_from = "profile " + profile_->name;
      if (file_.device) arguments_.device_from = "the sweep file's executor";
    }
    take("--device", &ExecutorSettings::device, arguments_.device);
    take("--jobs", &ExecutorSettings::jobs, arguments_.jobs);
    take("--replicas", &ExecutorSettings::replicas, arguments_.replicas);
    take("--time-limit", &ExecutorSettings::time_limit, arguments_.time_limit);
    if (!profile_) return;
    if (profile_->price_per_hour && !verb_.is_given("--price-per-hour")) {
      arguments_.price_per_hour = *profile_->price_per_hour;
    }
    take_speed();
  }

 private:
  // What says how fast the device is, is said by the command line or by the profile.
  void take_speed() {
    for (const char* option : {"--device-file", "--flops-per-second", "--calibrate"}) {
      if (verb_.is_given(option)) return;
    }
    if (profile_->flops_per_second) arguments_.flops_per_second = *profile_->flops_per_second;
    if (!profile_->device_file) return;
    arguments_.device_file = profile_->device_file->string();
    arguments_.is_profiles_device_file = true;
  }

  void take(const std::string& option, const std::optional<std::filesystem::path>& folder) {
    if (!folder || verb_.is_given(option)) return;
    (option == "--runs" ? arguments_.runs : arguments_.data) = folder->string();
  }

  template <typename Value>
  void take(const std::string& option, std::optional<Value> ExecutorSettings::*setting,
            Value& argument) {
    if (verb_.is_given(option)) return;
    if (profile_ && profile_->executor.*setting) argument = *(profile_->executor.*setting);
    if (file_.*setting) argument = *(file_.*setting);
  }

  const ExecutorSettings& file_;
  const std::optional<Profile>& profile_;
  const VerbOptions& verb_;
  PlanArguments& arguments_;
};

}  // namespace

void take_executor(const SweepExecutor& executor, const std::optional<std::string>& profile,
                   const VerbOptions& verb, const EnvironmentOf& environment,
                   PlanArguments& arguments) {
  const NamedProfile named(executor, profile);
  std::optional<Profile> found;
  if (named.name() != kNoProfile) {
    const Profiles profiles = profiles_for(named, environment);
    found = find(named, profiles);
    arguments.profile = found->name + " of " + profiles.file.string();
  }
  Taker taker(executor, found, verb, arguments);
  taker.take_places();
  if (verb.has_workers) taker.take_workers();
}

}  // namespace scalelaw
