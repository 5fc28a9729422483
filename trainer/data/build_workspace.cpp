#include "trainer/data/build_workspace.h"

#include <fcntl.h>
#include <stdio.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/manifest.h"
#include "trainer/writable_folder.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& target, const std::string& reason) {
  throw std::runtime_error(target.string() + ": cannot be put in place: " + reason);
}

void exchange_folders(const fs::path& draft, const fs::path& target, const fs::path& aside) {
  if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) return;
  // NFS and some others know no exchange.
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) fail(target, std::strerror(errno));
  replace_by_renames(draft, target, aside);
}

fs::path uppermost_missing(const fs::path& folder) {
  fs::path missing;
  std::error_code ignored;
  for (fs::path at = fs::absolute(folder).lexically_normal(); !fs::exists(at, ignored);
       at = at.parent_path()) {
    missing = at;
    if (at == at.parent_path()) break;
  }
  return missing;
}

// Folders without files in them; keeps the rest.
void remove_hollow(const fs::path& folder) {
  std::error_code error;
  if (folder.empty() || !fs::is_directory(folder, error)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_directory(error)) remove_hollow(entry.path());
  }
  fs::remove(folder, error);
}

}  // namespace

void check_place(const fs::path& data_root, const std::string& name) {
  if (!is_data_set_name(name)) {
    throw ConfigError("--name \"" + name +
                      "\": a data set's name is 1 to 100 letters, digits, '.', '_' and '-', and "
                      "starts with none of '.' and '-'");
  }
  if (const std::string reason = why_not_writable(data_root); !reason.empty()) {
    throw ConfigError("--data " + data_root.string() + ": " + reason);
  }
}

std::optional<DataSetInfo> existing_set(const fs::path& data_root, const std::string& name,
                                        bool replace, const std::string& hash) {
  const fs::path folder = data_root / name;
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) return std::nullopt;
  if (!fs::exists(folder / kDataSetFile, ignored)) {
    throw ConfigError(folder.string() + ": is there and no data set (no " +
                      std::string(kDataSetFile) + "): choose another --name");
  }
  if (replace) return std::nullopt;
  DataSetInfo set = open_data_set(data_root, name);
  if (build_hash(set) == hash) return set;
  throw ConfigError(folder.string() +
                    ": is there, made of other sources or with other options: choose another "
                    "--name, or pass --replace");
}

void replace_by_renames(const fs::path& draft, const fs::path& target, const fs::path& aside) {
  std::error_code error;
  fs::rename(target, aside, error);
  if (error) fail(target, error.message());
  fs::rename(draft, target, error);
  if (!error) return;
  std::error_code worse;
  fs::rename(aside, target, worse);
  fail(target, error.message());
}

BuildWorkspace::BuildWorkspace(const fs::path& data_root, const std::string& name)
    : target_(data_root / name),
      folder_(build_folder(data_root, name)),
      replaced_(replaced_folder(data_root, name)),
      made_(uppermost_missing(data_root)) {
  std::error_code error;
  create_folders(folder_, error);
  if (error)
    throw ConfigError("--data " + data_root.string() + ": cannot be written: " + error.message());
  // The build before may have removed the lock between our opening and locking it.
  do {
    lock_.emplace(folder_);
  } while (!lock_->folder_is_there());
  if (!fs::exists(target_) && fs::exists(replaced_)) fs::rename(replaced_, target_, error);
  if (!error) clear();
  fs::create_directory(draft(), error);
  if (error) throw ConfigError("--data " + data_root.string() + ": " + error.message());
}

void BuildWorkspace::clear() {
  std::error_code ignored;
  fs::remove_all(draft(), ignored);
  if (fs::exists(target_, ignored)) fs::remove_all(replaced_, ignored);
}

BuildWorkspace::~BuildWorkspace() {
  clear();
  std::error_code ignored;
  if (!fs::exists(replaced_, ignored)) fs::remove_all(folder_, ignored);
  remove_hollow(made_);
}

void BuildWorkspace::publish(bool replace) {
  if (fs::exists(target_)) {
    if (!replace) fail(target_, "it has come to be there meanwhile");
    exchange_folders(draft(), target_, replaced_);
  } else {
    std::error_code error;
    fs::rename(draft(), target_, error);
    if (error) fail(target_, error.message());
  }
  // Before the old set is deleted.
  sync_folder(target_.parent_path());
}

}  // namespace scalelaw
