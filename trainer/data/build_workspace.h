// Where a build works: DATA/.NAME.build, beside the set that it will become.
//
//   lock    held while the build lives (trainer/folder_lock.h), whatever its process id was
//   set/    the set in the making
//   old/    the set that was, for the moment between two renames, where folders cannot be exchanged
//
// A build that was killed leaves this folder; the next one of the name finds its lock free and
// begins by clearing it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "trainer/data/data_set.h"
#include "trainer/folder_lock.h"

namespace scalelaw {

// Asked before minutes are spent. ConfigError: no name of a data set, a folder that cannot be
// written.
void check_place(const std::filesystem::path& data_root, const std::string& name);

// The set that is there already and, by its build hash, the one that is wanted; nullopt: none is,
// or it is to be replaced. ConfigError: another one is there, which is not overwritten.
std::optional<DataSetInfo> existing_set(const std::filesystem::path& data_root,
                                        const std::string& name, bool replace,
                                        const std::string& hash);

class BuildWorkspace {
 public:
  // ConfigError: another build of this name lives, or the folder cannot be made.
  BuildWorkspace(const std::filesystem::path& data_root, const std::string& name);
  ~BuildWorkspace();  // leaves nothing but what was published
  BuildWorkspace(const BuildWorkspace&) = delete;
  BuildWorkspace& operator=(const BuildWorkspace&) = delete;

  std::filesystem::path folder() const { return folder_; }
  std::filesystem::path draft() const { return folder_ / "set"; }
  // Puts the draft in place of the set, which it may replace only where `replace`. Readers of a
  // replaced set keep the files they have open; whenever this is cut off, open_data_set finds the
  // old set or the new one.
  void publish(bool replace);

 private:
  void clear();

  std::filesystem::path target_;
  std::filesystem::path folder_;
  std::filesystem::path replaced_;
  std::filesystem::path made_;  // the uppermost folder that was not there before; empty: none
  std::optional<FolderLock> lock_;
};

// What publish does where folders cannot be exchanged in one step: `target` to `aside`, `draft` to
// `target`, and back again when that fails.
void replace_by_renames(const std::filesystem::path& draft, const std::filesystem::path& target,
                        const std::filesystem::path& aside);

}  // namespace scalelaw
