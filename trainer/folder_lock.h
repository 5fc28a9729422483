// One process a folder that is thrown away afterwards (trainer/data/build_workspace.h). The second
// one refuses; a crash leaves nothing to clean up. Run folders have leases (trainer/run_lease.h).
//
// FOLDER/lock is held by an open-file-description lock (fcntl(2), F_OFD_SETLK): the kernel drops it
// however the holder ends, and NFS carries it between machines, where it was not told not to.
// The file stays, empty of meaning unless held: removing it would let two processes hold two files.
#pragma once

#include <filesystem>
#include <string>

namespace scalelaw {

class FolderLock {
 public:
  // Makes the folder where it is missing and takes its lock. ConfigError when another process, or
  // this one through another FolderLock, has it (names pid and host), or when the folder cannot be
  // written; std::runtime_error for other faults of the disk.
  explicit FolderLock(const std::filesystem::path& folder);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;
  ~FolderLock();  // releases

  // The locked file is still the one in the folder: nobody removed or replaced it.
  bool folder_is_there() const;

 private:
  int file_descriptor_ = -1;
  std::filesystem::path file_;
};

// In what a refusal for another process's sake says.
inline constexpr const char* kInUseBy = ": in use by ";
// The ConfigError of a folder that `holder` has: "pid 4711 on node3".
[[noreturn]] void throw_in_use(const std::filesystem::path& folder, const std::string& holder);

// What a store that failed with `error` (an errno) at `file` means: ConfigError where the remedy is
// another --runs, else std::runtime_error (a disk that is full or broken).
[[noreturn]] void throw_unwritable(const std::filesystem::path& file, int error);

// The same where the store `runs` cannot even be looked at; makes nothing.
void check_store(const std::filesystem::path& runs);

}  // namespace scalelaw
