// An open file's number, closed with its owner; writing to it; how many there may be.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

namespace scalelaw {

class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}  // negative: none
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() { close(); }

  int get() const { return value_; }
  // Its errno, or 0: NFS reports a full disk as late as here.
  int close();

 private:
  int value_;
};

// Writes all of `bytes` where the descriptor stands: errno, or 0.
int write_all(int descriptor, std::span<const std::byte> bytes);
// Writes over what is in `file`, which is there, from its beginning: errno, or 0. The file is
// closed afterwards, which is what lets other machines see it on NFS.
int write_over(const std::filesystem::path& file, std::string_view content);

// Raises the number of files that this process may have open from the usual to the most it may ask
// for.
void allow_many_open_files();

}  // namespace scalelaw
