#include "trainer/profiles.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "trainer/nearest.h"
#include "trainer/number.h"
#include "trainer/yaml_tree.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// 0 for auto.
int64_t count_or_auto(const std::string& key, const SourcedText& value, int64_t most) {
  if (value.text == "auto") return 0;
  const std::optional<int64_t> number = parse_whole(value.text);
  if (number && *number >= 1 && *number <= most) return *number;
  throw_config_error(value, key,
                     "must be auto or a whole number from 1 to " + std::to_string(most));
}

class ProfilesReader {
 public:
  ProfilesReader(std::string file, const EnvironmentOf& environment)
      : file_(std::move(file)), environment_(environment) {}

  Profiles read(const YamlTree& root) const {
    Profiles profiles{file_, {}};
    if (root.kind != YamlTree::Kind::kMap) {
      throw_at_line(file_, root.line, "", "holds names with profiles, as `gpu: {device: cuda}`");
    }
    for (const auto& [name, value] : root.map) {
      if (name == kNoProfile) {
        throw_at_line(file_, value.line, name, "means no profile; choose another name");
      }
      profiles.all.push_back(read_profile(name, value));
    }
    return profiles;
  }

 private:
  Profile read_profile(const std::string& name, const YamlTree& value) const {
    if (value.kind != YamlTree::Kind::kMap) {
      throw_config_error({value.shown(), file_, value.line}, name,
                         "a profile holds keys, as {device: cuda, jobs: 2}");
    }
    Profile profile;
    profile.name = name;
    for (const auto& [key, inner] : value.map) {
      const std::string path = name + "." + key;
      const SourcedText text = {inner.shown(), file_, inner.line};
      check_key(key, path, text);
      if (inner.kind != YamlTree::Kind::kScalar) throw_config_error(text, path, "takes one value");
      if (!set_executor(key, path, text, profile.executor)) set(key, path, text, profile);
    }
    return profile;
  }

  static void check_key(const std::string& key, const std::string& path, const SourcedText& text) {
    static const std::vector<std::string> known = [] {
      std::vector<std::string> keys = executor_keys();
      keys.insert(keys.end(),
                  {"device_file", "flops_per_second", "price_per_hour", "runs", "data"});
      return keys;
    }();
    if (std::ranges::find(known, key) != known.end()) return;
    const std::string near = nearest(key, known);
    throw_config_error(text, path,
                       "unknown key; " + (near.empty() ? "there are " + joined(known)
                                                       : "did you mean " + near + "?"));
  }

  void set(const std::string& key, const std::string& path, const SourcedText& text,
           Profile& profile) const {
    if (key == "flops_per_second") {
      profile.flops_per_second = positive(path, text, "80G");
    } else if (key == "price_per_hour") {
      profile.price_per_hour = positive(path, text, "0.34");
    } else {
      (key == "runs"   ? profile.runs
       : key == "data" ? profile.data
                       : profile.device_file) = whole_path(path, text);
    }
  }

  static std::string positive(const std::string& key, const SourcedText& value,
                              const std::string& example) {
    if (parse_real(value.text).value_or(0) > 0) return value.text;
    throw_config_error(value, key, "must be a number above 0, as " + example);
  }

  // A relative one would be another folder wherever a command is called.
  fs::path whole_path(const std::string& key, const SourcedText& value) const {
    fs::path path(value.text);
    if (path.is_absolute()) return path;
    if (!value.text.starts_with("~/")) {
      throw_config_error(value, key, "must be an absolute path, or begin with ~/");
    }
    const fs::path home = environment_("HOME").value_or("");
    if (!home.is_absolute()) {
      throw_config_error(value, key, "HOME is not set to a folder; write the path out");
    }
    return home / value.text.substr(2);
  }

  std::string file_;
  const EnvironmentOf& environment_;
};

}  // namespace

bool set_executor(std::string_view name, const std::string& key, const SourcedText& value,
                  ExecutorSettings& settings) {
  if (name == "device") {
    if (value.text != "auto" && value.text != "cpu" && value.text != "cuda") {
      throw_config_error(value, key, "must be auto, cpu or cuda");
    }
    settings.device = value.text;
  } else if (name == "jobs") {
    settings.jobs = static_cast<int>(count_or_auto(key, value, kMostJobs));
  } else if (name == "replicas") {
    settings.replicas = count_or_auto(key, value, kMostReplicas);
  } else if (name == "time_limit") {
    if (parse_duration(value.text).value_or(0) <= 0) {
      throw_config_error(value, key, "must be a time above 0, as 90s, 15m or 8h");
    }
    settings.time_limit = value.text;
  } else {
    return false;
  }
  return true;
}

const std::vector<std::string>& executor_keys() {
  static const std::vector<std::string> keys = {"device", "jobs", "replicas", "time_limit"};
  return keys;
}

std::optional<fs::path> profiles_file(const EnvironmentOf& environment) {
  const std::pair<const char*, const char*> places[] = {{"XDG_CONFIG_HOME", ""},
                                                        {"HOME", ".config"}};
  for (const auto& [variable, below] : places) {
    const fs::path folder = environment(variable).value_or("");
    if (folder.is_absolute()) return folder / below / "scalelaw" / "profiles.yaml";
  }
  return std::nullopt;
}

std::optional<Profiles> read_profiles(const fs::path& file, const EnvironmentOf& environment) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw ConfigError(file.string() + ": cannot read: " + std::strerror(errno));
  }
  if (const std::string why = why_not_own(status.st_uid, status.st_mode, ::geteuid());
      !why.empty()) {
    throw ConfigError(file.string() + ": " + why);
  }
  return parse_profiles(read_yaml_text(file), file.string(), environment);
}

Profiles parse_profiles(std::string_view yaml, const std::string& file_name,
                        const EnvironmentOf& environment) {
  return ProfilesReader(file_name, environment).read(parse_yaml_tree(yaml, file_name));
}

std::string why_not_own(uid_t owner, mode_t mode, uid_t user) {
  constexpr const char* kDecides = "; it decides where runs go, so nobody else may write it";
  if (owner != user && owner != 0) {
    return "belongs to user " + std::to_string(owner) + ", not to you (" + std::to_string(user) +
           ")" + kDecides;
  }
  if ((mode & (S_IWGRP | S_IWOTH)) == 0) return "";
  return std::string("may be written by others") + kDecides + " (chmod go-w)";
}

std::string other_profiles(const std::string& name, const Profiles& profiles) {
  std::vector<std::string> names;
  for (const Profile& profile : profiles.all) names.push_back(profile.name);
  if (names.empty()) return "; it holds none";
  return nearest_or_all(name, names);
}

}  // namespace scalelaw
