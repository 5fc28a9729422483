#include "trainer/data/verify.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <system_error>

#include "trainer/config_error.h"
#include "trainer/data/builder.h"
#include "trainer/data/import_manifest.h"
#include "trainer/data/tokenizer.h"
#include "trainer/utf8.h"

namespace scalelaw {

namespace {

constexpr int64_t kBlockTokens = 1 << 16;
constexpr int64_t kNoMark = -1;  // no id

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

struct PieceStart {
  std::vector<uint32_t> ids;  // as many as were asked for
  int64_t tokens = 0;         // of all the piece, without its end
};

// The piece from `first` to the id `mark`, which of an import may be far; of kNoMark all of the
// shard.
PieceStart piece_at(const TokenShard& shard, int64_t first, int64_t mark, int64_t most_ids) {
  PieceStart piece;
  std::vector<int64_t> block;
  const int64_t all = shard.info().n_tokens;
  const int64_t searched = mark == kNoMark ? std::min(most_ids, all) : all;
  for (int64_t at = first; at < searched; at += kBlockTokens) {
    block.resize(static_cast<std::size_t>(std::min(kBlockTokens, searched - at)));
    shard.copy(at, block);
    const auto end = std::find(block.begin(), block.end(), mark);
    const int64_t found = end - block.begin(), kept = std::min(most_ids - piece.tokens, found);
    if (kept > 0) piece.ids.insert(piece.ids.end(), block.begin(), block.begin() + kept);
    piece.tokens += found;
    if (end != block.end()) break;
  }
  if (mark == kNoMark) piece.tokens = all;
  return piece;
}

// Text where the tokenizer is here, else the ids.
std::string start_of(const std::vector<uint32_t>& ids, const Tokenizer* tokenizer,
                     int64_t max_bytes) {
  const auto most = static_cast<std::size_t>(max_bytes);
  if (tokenizer != nullptr) {
    const std::string text = tokenizer->decode(ids);
    const std::string_view whole(text.data(), first_invalid_utf8(text));
    return std::string(whole.size() > most ? cut_at_line_ends(whole, most).front() : whole);
  }
  std::string text;
  for (const uint32_t id : ids) text += (text.empty() ? "" : " ") + std::to_string(id);
  return text.substr(0, most);
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
  if (pieces == 0) return {};
  std::optional<Tokenizer> tokenizer;
  if (!set.knows_tokenizer_by_name()) tokenizer = open_tokenizer(set);
  int64_t end = tokenizer ? int64_t{tokenizer->end_of_document()} : kNoMark;
  if (set.imported) {
    if (const std::optional<uint32_t> told = document_mark(set)) end = *told;
  }
  // A token is at least a byte, and characters whole: a few more than shown.
  const int64_t most_ids = max_bytes + 4;
  std::vector<Sample> samples;
  for (const auto& [split, info] : set.splits) {
    const TokenShard shard(shard_file(set, split));
    int64_t shown = 0;
    for (int64_t first = 0; shown < pieces && first < info.n_tokens;) {
      const PieceStart piece = piece_at(shard, first, end, most_ids);
      first += piece.tokens + 1;
      if (piece.tokens == 0) continue;  // a mark that stands before a document
      samples.push_back({.split = split,
                         .piece = shown++,
                         .tokens = piece.tokens,
                         .start = start_of(piece.ids, tokenizer ? &*tokenizer : nullptr, max_bytes),
                         .parted = end != kNoMark});
    }
  }
  return samples;
}

}  // namespace scalelaw
