#include "trainer/data/encode.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "trainer/available_cores.h"
#include "trainer/data/mixture.h"
#include "trainer/data/text_encoder.h"

namespace scalelaw {

namespace {

constexpr int64_t kBlockBytes = int64_t{4} << 20;

// Some neighbouring pieces, shared out among threads.
class BlockJob {
 public:
  BlockJob(const Corpus& corpus, std::span<const Piece> pieces, const Tokenizer& tokenizer)
      : corpus_(corpus), pieces_(pieces), tokenizer_(tokenizer), encoded_(pieces.size()) {}

  // Encodes pieces until none is left; several threads may run it, each with its own encoder.
  void work(TextEncoder& encoder) {
    try {
      for (std::size_t i; !failed_ && (i = next_++) < pieces_.size();) {
        encoder.encode(corpus_.text(pieces_[i]), encoded_[i]);
        encoded_[i].push_back(tokenizer_.end_of_document());
      }
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      failed_ = true;
      if (!failure_) failure_ = std::current_exception();
    }
  }

  const std::vector<std::vector<uint32_t>>& result() const {
    if (failure_) std::rethrow_exception(failure_);
    return encoded_;
  }

 private:
  const Corpus& corpus_;
  std::span<const Piece> pieces_;
  const Tokenizer& tokenizer_;
  std::vector<std::vector<uint32_t>> encoded_;  // each slot written by one thread
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

// The first pieces that make up a block: one at least.
std::span<const Piece> first_block(std::span<const Piece> pieces) {
  std::size_t count = 0;
  for (int64_t bytes = 0; count < pieces.size() && bytes < kBlockBytes; ++count) {
    bytes += pieces[count].bytes;
  }
  return pieces.first(count);
}

// The threads' encoders, which remember what comes again.
class Encoders {
 public:
  Encoders(const Corpus& corpus, const Tokenizer& tokenizer, int threads)
      : corpus_(corpus),
        tokenizer_(tokenizer),
        encoders_(static_cast<std::size_t>(threads > 0 ? threads : available_cores()),
                  TextEncoder(tokenizer)) {}

  // Each piece's tokens and its end.
  std::vector<std::vector<uint32_t>> encode(std::span<const Piece> block) {
    BlockJob job(corpus_, block, tokenizer_);
    {
      std::vector<std::jthread> pool;
      for (std::size_t i = 1; i < encoders_.size(); ++i) {
        pool.emplace_back([this, &job, i] { job.work(encoders_[i]); });
      }
      job.work(encoders_.front());
    }
    return job.result();
  }

 private:
  const Corpus& corpus_;
  const Tokenizer& tokenizer_;
  std::vector<TextEncoder> encoders_;
};

// One source's pieces, again and again, encoded some way ahead.
class SourceStream {
 public:
  explicit SourceStream(std::span<const Piece> pieces) : pieces_(pieces), left_(pieces) {
    for (const Piece& piece : pieces) use_.once_bytes += piece.bytes;
  }

  bool at_end() const { return at_ == block_.size() && left_.empty(); }
  // At the end it begins again.
  const std::vector<uint32_t>& next(Encoders& encoders) {
    if (at_ == block_.size()) {
      if (left_.empty()) left_ = pieces_;
      block_ = first_block(left_);
      left_ = left_.subspan(block_.size());
      encoded_ = encoders.encode(block_);
      at_ = 0;
    }
    use_.text_bytes += block_[at_].bytes;
    use_.tokens += static_cast<int64_t>(encoded_[at_].size());
    return encoded_[at_++];
  }
  const SourceUse& use() const { return use_; }

 private:
  std::span<const Piece> pieces_;
  std::span<const Piece> left_;   // of this pass, not encoded yet
  std::span<const Piece> block_;  // encoded
  std::vector<std::vector<uint32_t>> encoded_;
  std::size_t at_ = 0;  // of the block, the next to be passed on
  SourceUse use_;
};

// Of an estimate; weights may be as far apart as a double goes.
int64_t whole_bytes(double bytes) {
  constexpr auto kMost = static_cast<double>(int64_t{1} << 62);
  return static_cast<int64_t>(std::min(bytes, kMost));
}

}  // namespace

EncodedCounts encode_split(const Corpus& corpus, Split split, const Tokenizer& tokenizer,
                           int threads, const TokenSink& sink,
                           const std::function<void(int64_t)>& progress) {
  Encoders encoders(corpus, tokenizer, threads);
  EncodedCounts counts;
  std::span<const Piece> left = corpus.splits.at(split);
  while (!left.empty()) {
    const std::span<const Piece> block = first_block(left);
    left = left.subspan(block.size());
    std::vector<uint32_t> tokens;
    for (const std::vector<uint32_t>& piece : encoders.encode(block)) {
      tokens.insert(tokens.end(), piece.begin(), piece.end());
    }
    counts.unknown_tokens += std::count(tokens.begin(), tokens.end(), tokenizer.unknown());
    sink(tokens);
    for (const Piece& piece : block) counts.text_bytes += piece.bytes;
    counts.documents += static_cast<int64_t>(block.size());
    progress(counts.text_bytes);
  }
  return counts;
}

MixtureCounts encode_mixture(const Corpus& corpus, std::span<const std::span<const Piece>> sources,
                             const std::vector<double>& weights, int64_t max_tokens,
                             const Tokenizer& tokenizer, int threads, const TokenSink& sink,
                             const std::function<void(int64_t, int64_t)>& progress) {
  Encoders encoders(corpus, tokenizer, threads);
  std::vector<SourceStream> streams(sources.begin(), sources.end());
  WeightedTurns turns(weights);
  int64_t expected_bytes = INT64_MAX;  // until one has no more
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const double bytes = static_cast<double>(streams[i].use().once_bytes) / turns.share(i);
    expected_bytes = std::min(expected_bytes, whole_bytes(bytes));
  }
  MixtureCounts counts;
  for (int64_t tokens = 0; max_tokens == 0 || tokens < max_tokens;) {
    const std::size_t who = turns.next();
    if (max_tokens == 0 && streams[who].at_end()) break;
    const int64_t bytes_before = streams[who].use().text_bytes;
    const std::vector<uint32_t>& piece = streams[who].next(encoders);
    sink(piece);
    turns.take(who, static_cast<int64_t>(piece.size()));
    tokens += static_cast<int64_t>(piece.size());
    counts.all.text_bytes += streams[who].use().text_bytes - bytes_before;
    counts.all.unknown_tokens += std::count(piece.begin(), piece.end(), tokenizer.unknown());
    ++counts.all.documents;
    if (max_tokens > 0) {
      const double done = static_cast<double>(tokens) / static_cast<double>(max_tokens);
      expected_bytes = whole_bytes(static_cast<double>(counts.all.text_bytes) / done);
    }
    progress(counts.all.text_bytes, expected_bytes);
  }
  for (std::size_t i = 0; i < streams.size(); ++i) {
    counts.sources.push_back(streams[i].use());
    counts.sources.back().share = turns.share(i);
  }
  return counts;
}

}  // namespace scalelaw
