#include "trainer/data/foreign/token_layout.h"

#include <algorithm>
#include <array>
#include <utility>

namespace scalelaw {

namespace {

struct TypeRow {
  IdType type;
  std::string_view name;
  int64_t bytes;
};
constexpr std::array<TypeRow, 8> kTypes = {{{IdType::kU8, "u8", 1},
                                            {IdType::kI8, "i8", 1},
                                            {IdType::kU16, "u16", 2},
                                            {IdType::kI16, "i16", 2},
                                            {IdType::kU32, "u32", 4},
                                            {IdType::kI32, "i32", 4},
                                            {IdType::kU64, "u64", 8},
                                            {IdType::kI64, "i64", 8}}};

const TypeRow& row_of(IdType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

}  // namespace

std::string_view name(IdType type) {
  return row_of(type).name;
}

int64_t bytes_of(IdType type) {
  return row_of(type).bytes;
}

std::optional<IdType> parse_id_type(std::string_view text) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const TypeRow& row) { return row.name == text; });
  return found == kTypes.end() ? std::nullopt : std::optional(found->type);
}

TokenLayout checked_layout(const ForeignFile& file, std::string format, IdType type,
                           int64_t first_byte, int64_t n_tokens) {
  if (n_tokens == 0) fail_foreign(file.path(), "holds no ids");
  // Divided and not multiplied: a header may promise any number.
  const int64_t left = file.bytes() - first_byte;
  const int64_t there = left / bytes_of(type);
  const std::string promised =
      std::to_string(n_tokens) + " " + std::string(name(type)) + " ids are promised, ";
  if (n_tokens < 0 || there < n_tokens) {
    fail_foreign(file.path(), "is cut short or its header is damaged: " + promised +
                                  std::to_string(there) + " are there");
  }
  if (left != n_tokens * bytes_of(type)) {
    fail_foreign(file.path(), "is too long: " + promised + "and " +
                                  std::to_string(left - n_tokens * bytes_of(type)) +
                                  " bytes stand behind them");
  }
  return {.file = file.path(),
          .format = std::move(format),
          .type = type,
          .first_byte = first_byte,
          .n_tokens = n_tokens,
          .document_ends = {}};
}

}  // namespace scalelaw
