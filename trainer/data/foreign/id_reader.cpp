#include "trainer/data/foreign/id_reader.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "trainer/hash.h"

namespace scalelaw {

namespace {

constexpr int64_t kBlockTokens = int64_t{1} << 17;

// `first`: of the block within the file.
template <typename T>
void widen(const TokenLayout& layout, int64_t n_vocab, int64_t first,
           std::span<const std::byte> stored, std::span<uint32_t> ids) {
  T id{};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::memcpy(&id, stored.data() + i * sizeof(T), sizeof(T));
    if (std::cmp_less(id, 0) || std::cmp_greater_equal(id, n_vocab)) {
      fail_foreign(layout.file, "the id at place " +
                                    std::to_string(first + static_cast<int64_t>(i)) + " is " +
                                    std::to_string(id) + ", and the vocabulary's are 0 to " +
                                    std::to_string(n_vocab - 1) +
                                    ": another --vocab-size or --dtype, or a damaged file");
    }
    ids[i] = static_cast<uint32_t>(static_cast<std::make_unsigned_t<T>>(id));
  }
}

using Widen = void (*)(const TokenLayout&, int64_t, int64_t, std::span<const std::byte>,
                       std::span<uint32_t>);

Widen widen_of(IdType type) {
  switch (type) {
    case IdType::kU8:
      return widen<uint8_t>;
    case IdType::kI8:
      return widen<int8_t>;
    case IdType::kU16:
      return widen<uint16_t>;
    case IdType::kI16:
      return widen<int16_t>;
    case IdType::kU32:
      return widen<uint32_t>;
    case IdType::kI32:
      return widen<int32_t>;
    case IdType::kU64:
      return widen<uint64_t>;
    case IdType::kI64:
      break;
  }
  return widen<int64_t>;
}

}  // namespace

std::string read_ids(const TokenLayout& layout, int64_t n_vocab,
                     const std::function<void(std::span<const uint32_t>)>& sink) {
  const ForeignFile file(layout.file);
  const int64_t id_bytes = bytes_of(layout.type);
  const Widen to_ids = widen_of(layout.type);
  Hasher hasher;
  std::vector<std::byte> stored;
  std::vector<uint32_t> ids;
  for (int64_t first = 0; first < layout.n_tokens; first += kBlockTokens) {
    const int64_t count = std::min(kBlockTokens, layout.n_tokens - first);
    stored.resize(static_cast<std::size_t>(count * id_bytes));
    ids.resize(static_cast<std::size_t>(count));
    file.read(layout.first_byte + first * id_bytes, stored);
    hasher.add(stored);
    to_ids(layout, n_vocab, first, stored, ids);
    sink(ids);
  }
  return hasher.hex();
}

}  // namespace scalelaw
