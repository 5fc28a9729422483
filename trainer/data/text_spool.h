// Texts put aside on disk between two passes of a build, so that a corpus need not fit into memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "trainer/descriptor.h"

namespace scalelaw {

class TextSpool {
 public:
  // A file in `folder` without a name: it goes with the process, however that ends.
  // std::runtime_error when none can be made there.
  explicit TextSpool(const std::filesystem::path& folder);

  // Where the text begins. std::runtime_error: the disk is full.
  int64_t append(std::string_view text);
  // The `bytes` bytes from `offset`. Safe from several threads while nothing is appended.
  std::string read(int64_t offset, int64_t bytes) const;

 private:
  void flush();

  std::filesystem::path folder_;  // for messages
  Descriptor descriptor_;
  int64_t written_ = 0;  // bytes on disk
  std::string pending_;  // the bytes after them
};

}  // namespace scalelaw
