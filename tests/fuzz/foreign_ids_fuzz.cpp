// Token ids made elsewhere: every reader that looks into a file, and the ids it finds. A Megatron
// index is in the first 512 bytes of the input; the rest is the file of ids that belongs to it.
#include <filesystem>
#include <string>

#include "tests/fuzz/fuzz_target.h"
#include "trainer/data/foreign/find_layout.h"
#include "trainer/data/foreign/id_reader.h"
#include "trainer/data/foreign/megatron.h"

namespace scalelaw {
namespace {

constexpr int64_t kVocabulary = 50257;
constexpr std::size_t kIndexBytes = 512;

template <typename Find>
void read_all(const Find& find) {
  try {
    const TokenLayout layout = find();
    const auto bytes = static_cast<int64_t>(std::filesystem::file_size(layout.file));
    require(layout.n_tokens > 0 && layout.first_byte >= 0 &&
                layout.first_byte + layout.n_tokens * bytes_of(layout.type) <= bytes,
            "the ids are in the file");
    int64_t count = 0;
    read_ids(layout, kVocabulary, [&](std::span<const uint32_t> ids) {
      count += static_cast<int64_t>(ids.size());
      for (const uint32_t id : ids) require(id < kVocabulary, "ids are below the vocabulary");
    });
    require(count == layout.n_tokens, "all ids are read");
  } catch (const std::runtime_error&) {  // the others are asked as well
  }
}

}  // namespace

void read_hostile(std::string_view bytes) {
  for (const char* name : {"ids.npy", "ids.bin", "ids"}) {
    const std::filesystem::path file = scratch_file(name, bytes);
    read_all([&] { return find_layout(file, std::nullopt); });
    read_all([&] { return find_layout(file, IdType::kI16); });
    std::filesystem::remove(file);
  }
  scratch_file("pair.bin", bytes.substr(std::min(bytes.size(), kIndexBytes)));
  const std::filesystem::path index = scratch_file("pair.idx", bytes.substr(0, kIndexBytes));
  // Its length is what its counts must agree with, so what fills it up is left out.
  std::filesystem::resize_file(
      index, bytes.substr(0, kIndexBytes).find_last_not_of('\xff') + std::size_t{1});
  read_all([&] { return read_megatron_layout(index); });
}

}  // namespace scalelaw
