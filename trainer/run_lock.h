// One process a run folder. The second one refuses; a crash leaves nothing to clean up.
//
// FOLDER/lock is held by an open-file-description lock (fcntl(2), F_OFD_SETLK): the kernel drops it
// however the holder ends, asking who holds it takes nothing, and NFS carries it between machines.
// The file stays, empty of meaning unless held: removing it would let two processes hold two files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace scalelaw {

class RunLock {
 public:
  // Makes the folder where it is missing and takes its lock. ConfigError when another process, or
  // this one through another RunLock, has it (names pid and host), or when the folder cannot be
  // written; std::runtime_error for other faults of the disk.
  explicit RunLock(const std::filesystem::path& folder);
  RunLock(RunLock&& other) noexcept;
  RunLock& operator=(RunLock&& other) noexcept;
  ~RunLock();  // releases

  // The locked file is still the one in the folder: nobody removed or replaced it.
  bool folder_is_there() const;

 private:
  int file_descriptor_ = -1;
  std::filesystem::path file_;
};

// In what a refusal for another process's sake says.
inline constexpr const char* kInUseBy = ": in use by ";
inline constexpr const char* kCompletedMeanwhile = ": was completed by another process just now";

// What a store that failed with `error` (an errno) at `file` means: ConfigError where the remedy is
// another --runs, else std::runtime_error (a disk that is full or broken).
[[noreturn]] void throw_unwritable(const std::filesystem::path& file, int error);

// The same where the store `runs` cannot even be looked at; makes nothing.
void check_store(const std::filesystem::path& runs);

// The ConfigError that RunLock would throw now for a folder in use; makes nothing.
void check_not_held(const std::filesystem::path& folder);

// Who holds the folder's lock: "pid 4711 on node3"; nullopt when nobody does. Takes nothing, so a
// look at a folder never makes a starting run refuse. A folder that is not there is not held.
std::optional<std::string> lock_holder(const std::filesystem::path& folder);

}  // namespace scalelaw
