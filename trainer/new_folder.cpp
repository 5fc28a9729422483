#include "trainer/new_folder.h"

#include <cstdio>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/writable_folder.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_filled(const fs::path& target) {
  throw ConfigError(target.string() +
                    ": is there and not an empty folder; nothing is overwritten: name another");
}

std::string draft_name(const fs::path& target) {
  std::random_device random;
  char digits[32];
  std::snprintf(digits, sizeof digits, ".%08x", random());
  return "." + target.filename().string().substr(0, 200) + digits;
}

}  // namespace

// Links are followed, so that the draft lies on the file system that it is renamed in.
NewFolder::NewFolder(const fs::path& target)
    : target_(fs::weakly_canonical(fs::absolute(target / ""))) {
  if (!target_.has_filename()) target_ = target_.parent_path();
  if (const std::string reason = why_not_writable(target_.parent_path()); !reason.empty()) {
    throw ConfigError(target.string() + ": " + reason);
  }
  if (fs::exists(fs::symlink_status(target_)) &&
      !(fs::is_directory(target_) && fs::is_empty(target_))) {
    refuse_filled(target);
  }
  create_folders(target_.parent_path());
  draft_ = target_.parent_path() / draft_name(target_);
  fs::create_directory(draft_);
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (!draft_.empty()) fs::remove_all(draft_, ignored);
}

void NewFolder::publish() {
  sync_folder(draft_);
  std::error_code error;
  fs::rename(draft_, target_, error);
  if (error == std::errc::directory_not_empty || error == std::errc::file_exists) {
    refuse_filled(target_);
  }
  if (error) throw std::runtime_error(target_.string() + ": cannot be made: " + error.message());
  draft_.clear();
  sync_folder(target_.parent_path());
}

}  // namespace scalelaw
