#include "trainer/data/foreign/find_layout.h"

#include <array>
#include <cctype>

#include "trainer/data/foreign/llm_c.h"
#include "trainer/data/foreign/megatron.h"
#include "trainer/data/foreign/npy.h"
#include "trainer/data/foreign/raw_ids.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

// The index of a Megatron pair of which `file` is a part or the common name; empty: of none.
fs::path megatron_index(const fs::path& file) {
  std::error_code ignored;
  if (file.extension() == ".idx") return file;
  if (file.extension() == ".bin") {
    fs::path index = file;
    index.replace_extension(".idx");
    return fs::is_regular_file(index, ignored) ? index : fs::path();
  }
  const fs::path index = file.string() + ".idx";
  return !fs::exists(file, ignored) && fs::is_regular_file(index, ignored) ? index : fs::path();
}

bool begins_as_npy(const ForeignFile& file) {
  constexpr std::array<char, 6> kMagic = {'\x93', 'N', 'U', 'M', 'P', 'Y'};
  return file.bytes() >= 6 && file.read_as<std::array<char, 6>>(0) == kMagic;
}

}  // namespace

TokenLayout find_layout(const fs::path& path, std::optional<IdType> raw) {
  if (const fs::path index = megatron_index(path); !index.empty()) {
    return read_megatron_layout(index);
  }
  const ForeignFile file(path);
  if (path.extension() == ".npy" || begins_as_npy(file)) return read_npy_layout(path);
  if (has_llm_c_magic(file)) return read_llm_c_layout(path);
  if (raw) return read_raw_layout(path, *raw);
  if (path.extension() == ".bin") return read_nanogpt_layout(path);
  fail_foreign(path,
               "has no header that is known (.npy, llm.c's .bin, Megatron's .idx): --dtype "
               "says of what type its ids are, if it holds nothing else");
}

}  // namespace scalelaw
