// Where the token ids of a file made by another program lie. Each format's reader finds that out
// from the file's header, checks it against the file's length, and reads no id; read_ids()
// (trainer/data/foreign/id_reader.h) does that for all of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/data/foreign/foreign_file.h"

namespace scalelaw {

// Little-endian.
enum class IdType { kU8, kI8, kU16, kI16, kU32, kI32, kU64, kI64 };

std::string_view name(IdType type);  // "u16"
int64_t bytes_of(IdType type);
std::optional<IdType> parse_id_type(std::string_view text);
inline constexpr const char* kIdTypes = "u8, i8, u16, i16, u32, i32, u64 or i64";

struct TokenLayout {
  std::filesystem::path file;  // holds the ids
  std::string format;          // "npy", "llm.c", "megatron", "raw"
  IdType type = IdType::kU16;
  int64_t first_byte = 0;
  int64_t n_tokens = 0;  // above 0
  // How many ids stand before each document's end, ascending, the last n_tokens; empty: the format
  // does not say where documents end.
  std::vector<int64_t> document_ends;
};

// `n_tokens` ids from `first_byte` to the file's end. ConfigError: there are none, or more or fewer
// bytes than that.
TokenLayout checked_layout(const ForeignFile& file, std::string format, IdType type,
                           int64_t first_byte, int64_t n_tokens);

}  // namespace scalelaw
