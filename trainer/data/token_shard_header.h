// The first 4096 bytes of a token shard, shared by its reader and its writer.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>

#include "trainer/data/token_shard.h"

namespace scalelaw {

inline constexpr std::size_t kShardHeaderBytes = 4096;
inline constexpr int64_t kMaxVocab = int64_t{1} << 31;

using ShardHeader = std::array<std::byte, kShardHeaderBytes>;

ShardHeader to_shard_header(const TokenShardInfo& info);

// ConfigError names the file and the fault: another kind of file, damage, impossible numbers;
// OutOfReach (trainer/data/out_of_reach.h): a newer version.
TokenShardInfo parse_shard_header(const std::filesystem::path& file, const ShardHeader& header);

// ConfigError that says how to mend it.
[[noreturn]] void fail_shard(const std::filesystem::path& file, const std::string& fault);

}  // namespace scalelaw
