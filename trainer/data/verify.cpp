#include "trainer/data/verify.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <system_error>

#include "trainer/config_error.h"
#include "trainer/data/builder.h"
#include "trainer/data/tokenizer.h"
#include "trainer/utf8.h"

namespace scalelaw {

namespace {

constexpr int64_t kBlockTokens = 1 << 16;

int64_t count_pieces(const TokenShard& shard, uint32_t end_of_document) {
  int64_t pieces = 0;
  std::vector<int64_t> block;
  for (int64_t first = 0; first < shard.info().n_tokens; first += kBlockTokens) {
    const int64_t size = std::min(kBlockTokens, shard.info().n_tokens - first);
    block.resize(static_cast<std::size_t>(size));
    shard.copy(first, block);
    pieces += std::count(block.begin(), block.end(), int64_t{end_of_document});
  }
  return pieces;
}

// The next piece's tokens from `first`, without its end.
std::vector<uint32_t> piece_at(const TokenShard& shard, int64_t first, uint32_t end_of_document) {
  std::vector<uint32_t> tokens;
  std::vector<int64_t> block;
  for (int64_t at = first; at < shard.info().n_tokens; at += kBlockTokens) {
    block.resize(static_cast<std::size_t>(std::min(kBlockTokens, shard.info().n_tokens - at)));
    shard.copy(at, block);
    const auto end = std::find(block.begin(), block.end(), int64_t{end_of_document});
    tokens.insert(tokens.end(), block.begin(), end);
    if (end != block.end()) break;
  }
  return tokens;
}

// The first ids, which are text only where the tokenizer is here.
std::vector<Sample> sample_import(const DataSetInfo& set, int64_t max_bytes) {
  std::optional<Tokenizer> tokenizer;
  if (!set.knows_tokenizer_by_name()) tokenizer = open_tokenizer(set);
  std::vector<Sample> samples;
  for (const auto& [split, info] : set.splits) {
    // A token is at least a byte.
    std::vector<int64_t> ids(static_cast<std::size_t>(std::min(info.n_tokens, max_bytes)));
    TokenShard(shard_file(set, split)).copy(0, ids);
    std::string text =
        tokenizer ? tokenizer->decode(std::vector<uint32_t>(ids.begin(), ids.end())) : "";
    for (std::size_t i = 0; !tokenizer && i < ids.size(); ++i) {
      text += (i > 0 ? " " : "") + std::to_string(ids[i]);
    }
    text.resize(std::min(text.size(), static_cast<std::size_t>(max_bytes)));
    text.resize(first_invalid_utf8(text));
    samples.push_back({.split = split, .piece = 0, .tokens = info.n_tokens, .start = text});
  }
  return samples;
}

}  // namespace

void verify_data_set(const DataSetInfo& set) {
  if (set.imported) {
    if (!set.knows_tokenizer_by_name()) open_tokenizer(set);
    for (const auto& [split, info] : set.splits) TokenShard(shard_file(set, split));
    return;
  }
  const Tokenizer tokenizer = open_tokenizer(set);
  for (const auto& [split, info] : set.splits) {
    const TokenShard shard(shard_file(set, split));
    const auto fail = [&shard](const std::string& fault) {
      throw ConfigError(shard.file().string() + ": " + fault + ": build the set again");
    };
    const int64_t pieces = count_pieces(shard, tokenizer.end_of_document());
    if (pieces != info.n_documents) {
      fail("holds " + std::to_string(pieces) + " ends of documents, its header says " +
           std::to_string(info.n_documents));
    }
    int64_t last = 0;
    shard.copy(info.n_tokens - 1, std::span(&last, 1));
    if (last != int64_t{tokenizer.end_of_document()}) fail("does not end with a document's end");
  }
}

std::vector<std::string> names_to_verify(const std::filesystem::path& data_root) {
  namespace fs = std::filesystem;
  std::vector<std::string> names = data_set_names(data_root);
  std::error_code error;
  for (fs::directory_iterator it(data_root, error), end; !error && it != end; it.increment(error)) {
    const std::string folder = it->path().filename().string();
    if (folder.front() == '.' || fs::exists(it->path() / kDataSetFile, error)) continue;
    const bool has_shard = std::any_of(std::begin(kSplits), std::end(kSplits), [&](Split split) {
      std::error_code hidden;
      return fs::exists(it->path() / (std::string(name(split)) + ".tokens"), hidden);
    });
    if (has_shard) names.push_back(folder);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<Sample> sample_pieces(const DataSetInfo& set, int64_t pieces, int64_t max_bytes) {
  if (set.imported) {
    return pieces > 0 ? sample_import(set, max_bytes) : std::vector<Sample>();
  }
  const Tokenizer tokenizer = open_tokenizer(set);
  std::vector<Sample> samples;
  for (const auto& [split, info] : set.splits) {
    const TokenShard shard(shard_file(set, split));
    int64_t first = 0;
    for (int64_t i = 0; i < std::min(pieces, info.n_documents); ++i) {
      const auto tokens = piece_at(shard, first, tokenizer.end_of_document());
      // A token is at least a byte, and characters whole: decode a few more than shown.
      const auto shown = std::min(static_cast<int64_t>(tokens.size()), max_bytes + 4);
      const std::string text =
          tokenizer.decode(std::span(tokens).first(static_cast<std::size_t>(shown)));
      const std::string_view whole(text.data(), first_invalid_utf8(text));
      const bool cut = static_cast<int64_t>(whole.size()) > max_bytes;
      samples.push_back(
          {.split = split,
           .piece = i,
           .tokens = static_cast<int64_t>(tokens.size()),
           .start = std::string(
               cut ? cut_at_line_ends(whole, static_cast<std::size_t>(max_bytes)).front()
                   : whole)});
      first += static_cast<int64_t>(tokens.size()) + 1;
    }
  }
  return samples;
}

}  // namespace scalelaw
