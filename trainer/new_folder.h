// A folder that is there whole or not at all: filled under another name beside its place, then
// renamed.
#pragma once

#include <filesystem>

namespace scalelaw {

class NewFolder {
 public:
  // ConfigError where `target` is there and is not an empty folder, or cannot be made.
  explicit NewFolder(const std::filesystem::path& target);
  ~NewFolder();  // leaves nothing but what was published
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const std::filesystem::path& draft() const { return draft_; }  // to be filled
  // ConfigError where somebody has filled the target meanwhile; std::runtime_error: the disk.
  void publish();

 private:
  std::filesystem::path target_;
  std::filesystem::path draft_;
};

}  // namespace scalelaw
