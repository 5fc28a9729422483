// The one error that is the user's to mend: a bad configuration, bad input, a folder in use.
// Programs catch it once, in main, print what() and exit with 2; nothing has been written then.
#pragma once

#include <stdexcept>
#include <string>

namespace scalelaw {

class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A rule broken at one key of a configuration, found where its file is no longer at hand: after the
// data were read. Whoever holds the file adds the line (throw_at_its_place, config_yaml.h).
class KeyError : public ConfigError {
 public:
  KeyError(const std::string& key, const std::string& value, const std::string& rule)
      : ConfigError(key + " = " + value + ": " + rule), key_(key), value_(value), rule_(rule) {}
  const std::string& key() const { return key_; }
  const std::string& value() const { return value_; }
  const std::string& rule() const { return rule_; }

 private:
  std::string key_, value_, rule_;
};

// Exit codes shared by every program.
inline constexpr int kExitComplete = 0;
inline constexpr int kExitOther = 1;        // disk, device, our own mistakes
inline constexpr int kExitBadInput = 2;     // ConfigError
inline constexpr int kExitInterrupted = 3;  // a checkpoint is there; the same command goes on

}  // namespace scalelaw
