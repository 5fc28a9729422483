#include "trainer/data/foreign/raw_ids.h"

#include <algorithm>

namespace scalelaw {

namespace {

// Vocabularies end below 4 * 65536, so the upper half of a u32 id is at most 3. A text in which
// every other id is that small is none: of so many.
constexpr int64_t kHighHalves = 4;
constexpr int64_t kFewestToJudge = 64, kMostToJudge = 1 << 16;

bool looks_like_u32(const ForeignFile& file) {
  const int64_t count = std::min(file.bytes() / 2, kMostToJudge) / 2 * 2;
  if (count < kFewestToJudge || file.bytes() % 4 != 0) return false;
  std::vector<uint16_t> ids(static_cast<std::size_t>(count));
  file.read(0, std::as_writable_bytes(std::span(ids)));
  for (std::size_t i = 1; i < ids.size(); i += 2) {
    if (ids[i] >= kHighHalves) return false;
  }
  return true;
}

}  // namespace

TokenLayout read_raw_layout(const std::filesystem::path& path, IdType type) {
  const ForeignFile file(path);
  if (file.bytes() % bytes_of(type) != 0) {
    fail_foreign(path, "is cut short, or not of " + std::string(name(type)) + " ids: its " +
                           std::to_string(file.bytes()) + " bytes are no whole number of them");
  }
  return checked_layout(file, "raw", type, 0, file.bytes() / bytes_of(type));
}

TokenLayout read_nanogpt_layout(const std::filesystem::path& path) {
  if (looks_like_u32(ForeignFile(path))) {
    fail_foreign(path,
                 "has no header, and its ids look like u32 rather than nanoGPT's u16 (every other "
                 "half is below 4): say which with --dtype u32 or --dtype u16");
  }
  return read_raw_layout(path, IdType::kU16);
}

}  // namespace scalelaw
