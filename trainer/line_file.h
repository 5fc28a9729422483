// A file that grows by lines and loses none to a full disk, nor to a fault of a network file system
// that passes (trainer/transient_fault.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

#include "trainer/descriptor.h"

namespace scalelaw {

class LineFile {
 public:
  // Makes the file, empty. DiskFull (trainer/disk_space.h) or std::runtime_error.
  explicit LineFile(const std::filesystem::path& file);

  // Adds a line. Where the disk is full it is held back in memory, the file ends with a whole line,
  // and the next call tries again. std::runtime_error for other faults.
  void append(std::string_view line);
  // Writes what was held back: DiskFull while there is no room.
  void write_held_back();
  // The same, and all of it to the disk. May be called while another thread appends.
  void sync();

 private:
  int write_kept();
  int force_to_disk();
  void cut_to(int64_t size);

  std::filesystem::path file_;
  Descriptor descriptor_;
  std::mutex mutex_;
  std::string kept_;  // lines that are not on the disk for sure: those from byte synced_
  int64_t synced_ = 0;
  int64_t written_ = 0;  // bytes of the file
};

}  // namespace scalelaw
