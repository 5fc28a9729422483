#include "trainer/data/encode.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "trainer/available_cores.h"
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

}  // namespace

EncodedCounts encode_split(const Corpus& corpus, Split split, const Tokenizer& tokenizer,
                           int threads, const std::function<void(std::span<const uint32_t>)>& sink,
                           const std::function<void(int64_t)>& progress) {
  const int encoder_count = threads > 0 ? threads : available_cores();
  std::vector<TextEncoder> encoders(static_cast<std::size_t>(encoder_count),
                                    TextEncoder(tokenizer));
  EncodedCounts counts;
  std::span<const Piece> left = corpus.splits.at(split);
  while (!left.empty()) {
    const std::span<const Piece> block = first_block(left);
    left = left.subspan(block.size());
    BlockJob job(corpus, block, tokenizer);
    {
      std::vector<std::jthread> pool;
      for (std::size_t i = 1; i < encoders.size(); ++i) {
        pool.emplace_back([&job, &encoders, i] { job.work(encoders[i]); });
      }
      job.work(encoders.front());
    }
    std::vector<uint32_t> tokens;
    for (const std::vector<uint32_t>& piece : job.result()) {
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

}  // namespace scalelaw
