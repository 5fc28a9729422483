// A source's file as it is stored, read from its beginning, and the hash of what was read.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "trainer/hash.h"

namespace scalelaw {

class StoredFile {
 public:
  // ConfigError: it cannot be opened.
  explicit StoredFile(const std::filesystem::path& file);

  // At most 1 MiB, until the next call; empty at the end, and where the file cannot be read.
  std::string_view next();
  // std::runtime_error where it could not be read.
  void check() const;
  std::string hash() const { return hasher_.hex(); }  // of all that next() gave

 private:
  std::filesystem::path file_;
  std::ifstream in_;
  std::string chunk_;
  Hasher hasher_;
};

}  // namespace scalelaw
