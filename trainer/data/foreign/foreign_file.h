// A file of another program, open for reading by place. Nothing is written, mapped or kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <type_traits>

#include "trainer/descriptor.h"

namespace scalelaw {

class ForeignFile {
 public:
  // ConfigError: not there, not a regular file, closed to this user; std::runtime_error: the disk
  // fails.
  explicit ForeignFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  int64_t bytes() const { return bytes_; }  // when it was opened

  // Fills `out` from byte `offset`. ConfigError where the file ends before.
  void read(int64_t offset, std::span<std::byte> out) const;
  // A little-endian number, or a plain structure of them.
  template <typename T>
  T read_as(int64_t offset) const {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    read(offset, std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }

 private:
  std::filesystem::path path_;
  Descriptor descriptor_;
  int64_t bytes_ = 0;
};

// ConfigError "FILE: fault".
[[noreturn]] void fail_foreign(const std::filesystem::path& file, const std::string& fault);

}  // namespace scalelaw
