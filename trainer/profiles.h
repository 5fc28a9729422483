// Profiles: what a person says once of the places where sweeps run, in a file of their own
// configuration. A sweep's file may name one of them; it brings no path itself.
//
//   h100:
//     device: cuda                    # auto, cpu or cuda
//     jobs: 2                         # processes on each GPU, or on the CPU; auto: chosen
//     replicas: 64                    # most runs in a process; auto: chosen
//     time_limit: 8h                  # of an attempt
//     device_file: ~/h100.yaml        # steps measured on this device
//     flops_per_second: 80G           # of one core, where nothing was measured
//     price_per_hour: 2.50            # of the whole machine
//     runs: /scratch/me/runs          # the store
//     data: /scratch/me/data          # data sets
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/config_yaml.h"

namespace scalelaw {

// Where a sweep's runs are trained and how many side by side: of a profile, or of a sweep's file.
struct ExecutorSettings {
  std::optional<std::string> device;      // auto, cpu, cuda
  std::optional<int> jobs;                // 0: chosen
  std::optional<int64_t> replicas;        // 0: chosen
  std::optional<std::string> time_limit;  // of an attempt, as parse_duration reads it; above 0
};
inline constexpr int kMostJobs = 4096, kMostReplicas = 4096;
// Takes `value` for the setting `name`; false where there is none of this name. ConfigError with
// `key` and the rule.
bool set_executor(std::string_view name, const std::string& key, const SourcedText& value,
                  ExecutorSettings& settings);
const std::vector<std::string>& executor_keys();  // "device", ...

struct Profile {
  std::string name;
  ExecutorSettings executor;
  std::optional<std::filesystem::path> device_file, runs, data;  // absolute
  std::optional<std::string> flops_per_second, price_per_hour;   // numbers above 0
};
struct Profiles {
  std::filesystem::path file;
  std::vector<Profile> all;
};

// The name of a profile that is none, for sweeps whose file names one.
inline constexpr const char* kNoProfile = "none";

using EnvironmentOf = std::function<std::optional<std::string>(const std::string& name)>;
// $XDG_CONFIG_HOME/scalelaw/profiles.yaml, else ~/.config/scalelaw/profiles.yaml; nullopt where
// neither is an absolute path.
std::optional<std::filesystem::path> profiles_file(const EnvironmentOf& environment);

// nullopt where there is no file. ConfigError as parse_profiles(), where it cannot be read, and by
// why_not_own().
std::optional<Profiles> read_profiles(const std::filesystem::path& file,
                                      const EnvironmentOf& environment);
// ConfigError (file, line, key, value, rule, nearest name) for what parse_yaml_tree refuses, an
// unknown key, a value out of its range, and a path that is neither absolute nor begins with ~/.
Profiles parse_profiles(std::string_view yaml, const std::string& file_name,
                        const EnvironmentOf& environment);
// The file decides where runs go and what is read, so nobody else may write it: what is wrong with
// its owner or its mode, for a process of `user`; else "". Root may own it too.
std::string why_not_own(uid_t owner, mode_t mode, uid_t user);

// "; did you mean h100?", "; there are a, b", for a name that is none of them.
std::string other_profiles(const std::string& name, const Profiles& profiles);

}  // namespace scalelaw
