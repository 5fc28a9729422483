#include "trainer/data/inspection.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/data/text_hash.h"

namespace scalelaw {

namespace {

constexpr int64_t kBlockTokens = 1 << 16;

template <typename T>
uint64_t hash_of(std::span<const T> values) {
  return text_hash({reinterpret_cast<const char*>(values.data()), values.size_bytes()}).low;
}

template <typename Sink>
void for_each_piece(const TokenShard& shard, std::optional<uint32_t> end, const Sink& sink) {
  std::vector<int64_t> block;
  std::vector<uint32_t> piece;
  const auto pass_on = [&] {
    if (!piece.empty()) sink(std::span<const uint32_t>(piece));
    piece.clear();
  };
  for (int64_t first = 0; first < shard.info().n_tokens; first += kBlockTokens) {
    block.resize(static_cast<std::size_t>(std::min(kBlockTokens, shard.info().n_tokens - first)));
    shard.copy(first, block);
    for (const int64_t id : block) {
      if (end && id == int64_t{*end}) {
        pass_on();
        continue;
      }
      piece.push_back(static_cast<uint32_t>(id));
      if (piece.size() == static_cast<std::size_t>(kBlockTokens)) pass_on();
    }
  }
  pass_on();
}

bool is_space(unsigned char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_alphanumeric(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
}

// The words of a text: how many, and those that something is left of, as compared.
struct Words {
  int64_t count = 0;
  std::vector<std::string> compared;
};

Words words_of(std::string_view text) {
  Words words;
  std::string word;
  bool inside = false;
  const auto end_word = [&] {
    if (inside) ++words.count;
    if (!word.empty()) words.compared.push_back(std::exchange(word, {}));
    inside = false;
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_space(byte)) {
      end_word();
      continue;
    }
    inside = true;
    const unsigned char lower = byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
    if (is_alphanumeric(lower)) word += static_cast<char>(lower);
  }
  end_word();
  return words;
}

// A piece as it is compared.
struct ReadPiece {
  std::vector<uint64_t> items;     // hashes of words, or ids
  std::vector<std::string> words;  // as compared; none without a tokenizer
};

template <typename Sink>
void for_each_run(const ReadPiece& piece, const Sink& sink) {
  constexpr auto kRun = static_cast<std::size_t>(kRunWords);
  const std::span<const uint64_t> items(piece.items);
  for (std::size_t i = 0; i + kRun <= items.size(); ++i) sink(i, hash_of(items.subspan(i, kRun)));
}

// Hashes of which it is asked whether a train split has them too.
class Wanted {
 public:
  void add(uint64_t hash) { hashes_.push_back(hash); }
  // Between the last add() and the first mark().
  void settle() {
    std::sort(hashes_.begin(), hashes_.end());
    hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
    maybe_.resize(std::size_t{1} << kMaybeBits);
    for (const uint64_t hash : hashes_) maybe_[hash >> (64 - kMaybeBits)] = true;
    found_.resize(hashes_.size());
  }
  void mark(uint64_t hash) {
    if (const auto place = find(hash)) found_[*place] = true;
  }
  bool is_marked(uint64_t hash) const {
    const auto place = find(hash);
    return place && found_[*place];
  }

 private:
  static constexpr int kMaybeBits = 26;

  std::optional<std::size_t> find(uint64_t hash) const {
    if (!maybe_[hash >> (64 - kMaybeBits)]) return std::nullopt;
    const auto it = std::lower_bound(hashes_.begin(), hashes_.end(), hash);
    if (it == hashes_.end() || *it != hash) return std::nullopt;
    return static_cast<std::size_t>(it - hashes_.begin());
  }

  std::vector<uint64_t> hashes_;
  std::vector<bool> maybe_;  // by a hash's first bits: most of train's are told apart here
  std::vector<bool> found_;
};

struct HeldOut {
  Wanted runs;
  Wanted pieces;
};

class Inspector {
 public:
  Inspector(const DataSetInfo& set, const Tokenizer* tokenizer, const InspectOptions& options,
            const std::function<void(int64_t, int64_t)>& progress)
      : set_(set), tokenizer_(tokenizer), options_(options), progress_(progress) {
    for (int64_t id = 0; tokenizer != nullptr && id < set.n_vocab; ++id) {
      texts_.push_back(tokenizer->text_of(static_cast<uint32_t>(id)));
    }
    for (const auto& [split, info] : set.splits) {
      const bool twice = split != Split::kTrain && set.splits.contains(Split::kTrain);
      total_tokens_ += info.n_tokens * (twice ? 2 : 1);
    }
  }

  Inspection run() {
    result_.of_words = tokenizer_ != nullptr;
    result_.knows_pieces = end().has_value();
    const bool compares = set_.splits.contains(Split::kTrain);
    for (const auto& [split, info] : set_.splits) {
      if (!compares) read(split, [](std::span<const uint32_t>, const ReadPiece&) {});
      if (compares && split != Split::kTrain) read_held_out(split);
    }
    if (!compares) return std::move(result_);
    read(Split::kTrain, [this](std::span<const uint32_t> ids, const ReadPiece& piece) {
      for (auto& [split, held_out] : held_out_) {
        held_out.pieces.mark(hash_of(ids));
        for_each_run(piece,
                     [&runs = held_out.runs](std::size_t, uint64_t hash) { runs.mark(hash); });
      }
    });
    for (const auto& [split, held_out] : held_out_) compare(split, held_out);
    return std::move(result_);
  }

 private:
  void read_held_out(Split split) {
    SplitOverlap& overlap = result_.overlap[split];
    const int64_t tokens = set_.splits.at(split).n_tokens;
    overlap.sampled_one_in = (tokens + options_.max_runs - 1) / options_.max_runs;
    HeldOut& held_out = held_out_[split];
    read(split, [&](std::span<const uint32_t> ids, const ReadPiece& piece) {
      held_out.pieces.add(hash_of(ids));
      for_each_run(piece, [&](std::size_t, uint64_t hash) {
        if (is_sampled(overlap, hash)) held_out.runs.add(hash);
      });
    });
    held_out.pieces.settle();
    held_out.runs.settle();
  }

  void compare(Split split, const HeldOut& held_out) {
    SplitOverlap& overlap = result_.overlap[split];
    for_each_piece(open(split), end(), [&](std::span<const uint32_t> ids) {
      const ReadPiece piece = read_piece(ids, nullptr);
      overlap.pieces_in_train += held_out.pieces.is_marked(hash_of(ids)) ? 1 : 0;
      int64_t compared = 0, found = 0;
      for_each_run(piece, [&](std::size_t first, uint64_t hash) {
        if (!is_sampled(overlap, hash)) return;
        ++compared;
        if (!held_out.runs.is_marked(hash)) return;
        ++found;
        if (overlap.example.empty()) overlap.example = text_of_run(piece, first);
      });
      overlap.runs += compared;
      overlap.runs_in_train += found;
      overlap.pieces += compared > 0 ? 1 : 0;
      overlap.touched_pieces += found > 0 ? 1 : 0;
      tell(ids.size());
    });
  }

  template <typename Sink>
  void read(Split split, const Sink& sink) {
    SplitContent& content = result_.content[split];
    std::vector<uint64_t> pieces;
    std::vector<bool> used(static_cast<std::size_t>(set_.n_vocab));
    for_each_piece(open(split), end(), [&](std::span<const uint32_t> ids) {
      pieces.push_back(hash_of(ids));
      for (const uint32_t id : ids) used[id] = true;
      content.tokens += static_cast<int64_t>(ids.size());
      sink(ids, read_piece(ids, &content));
      tell(ids.size());
    });
    content.pieces = static_cast<int64_t>(pieces.size());
    content.used_ids = std::count(used.begin(), used.end(), true);
    std::sort(pieces.begin(), pieces.end());
    const auto distinct = std::unique(pieces.begin(), pieces.end()) - pieces.begin();
    content.repeated_pieces = content.pieces - distinct;
  }

  ReadPiece read_piece(std::span<const uint32_t> ids, SplitContent* content) const {
    ReadPiece piece;
    if (tokenizer_ == nullptr) {
      piece.items.assign(ids.begin(), ids.end());
      return piece;
    }
    std::string text;
    for (const uint32_t id : ids) text += texts_[id];
    Words words = words_of(text);
    for (const std::string& word : words.compared) piece.items.push_back(text_hash(word).low);
    piece.words = std::move(words.compared);
    if (content != nullptr) {
      content->text_bytes += static_cast<int64_t>(text.size());
      content->words += words.count;
    }
    return piece;
  }

  static std::string text_of_run(const ReadPiece& piece, std::size_t first) {
    std::string text;
    if (piece.words.empty()) return text;
    for (std::size_t i = first; i < first + static_cast<std::size_t>(kRunWords); ++i) {
      text += (i > first ? " " : "") + piece.words[i];
    }
    return text;
  }

  static bool is_sampled(const SplitOverlap& overlap, uint64_t hash) {
    return hash % static_cast<uint64_t>(overlap.sampled_one_in) == 0;
  }
  TokenShard open(Split split) const { return TokenShard(shard_file(set_, split)); }
  std::optional<uint32_t> end() const {
    if (options_.document_mark || tokenizer_ == nullptr) return options_.document_mark;
    return tokenizer_->end_of_document();
  }
  void tell(std::size_t tokens) {
    read_tokens_ += static_cast<int64_t>(tokens);
    progress_(read_tokens_, total_tokens_);
  }

  const DataSetInfo& set_;
  const Tokenizer* tokenizer_;
  const InspectOptions& options_;
  const std::function<void(int64_t, int64_t)>& progress_;
  std::vector<std::string> texts_;  // of the vocabulary: far faster than whole decoding
  int64_t read_tokens_ = 0;
  int64_t total_tokens_ = 0;
  Inspection result_;
  std::map<Split, HeldOut> held_out_;
};

}  // namespace

Inspection inspect_data_set(const DataSetInfo& set, const Tokenizer* tokenizer,
                            const InspectOptions& options,
                            const std::function<void(int64_t, int64_t)>& progress) {
  return Inspector(set, tokenizer, options, progress).run();
}

}  // namespace scalelaw
