#include "trainer/data/encode.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

namespace scalelaw {

namespace {

class EncodeJob {
 public:
  EncodeJob(const std::vector<Piece>& pieces, const Tokenizer& tokenizer)
      : pieces_(pieces), tokenizer_(tokenizer), encoded_(pieces.size()) {}

  // Encodes pieces until none is left; several threads may run it.
  void work(const std::function<void(int64_t)>& progress) {
    try {
      for (std::size_t i; !failed_ && (i = next_++) < pieces_.size();) {
        encoded_[i] = tokenizer_.encode(pieces_[i].text);
        encoded_[i].push_back(tokenizer_.end_of_document());
        done_bytes_ += static_cast<int64_t>(pieces_[i].text.size());
        if (progress) progress(done_bytes_);
      }
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      failed_ = true;
      if (!failure_) failure_ = std::current_exception();
    }
  }

  std::vector<std::vector<uint32_t>> result() {
    if (failure_) std::rethrow_exception(failure_);
    return std::move(encoded_);
  }

 private:
  const std::vector<Piece>& pieces_;
  const Tokenizer& tokenizer_;
  std::vector<std::vector<uint32_t>> encoded_;  // each slot written by one thread
  std::atomic<std::size_t> next_ = 0;
  std::atomic<int64_t> done_bytes_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace

EncodedSplit encode_split(const std::vector<Piece>& pieces, const Tokenizer& tokenizer, int threads,
                          const std::function<void(int64_t)>& progress) {
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const int workers = (threads > 0 ? threads : cores) - 1;
  EncodeJob job(pieces, tokenizer);
  {
    std::vector<std::jthread> pool;
    for (int i = 0; i < workers; ++i) pool.emplace_back([&job] { job.work({}); });
    job.work(progress);
  }

  EncodedSplit split;
  split.documents = static_cast<int64_t>(pieces.size());
  std::vector<std::vector<uint32_t>> encoded = job.result();
  std::size_t tokens = 0;
  for (const auto& piece : encoded) tokens += piece.size();
  split.tokens.reserve(tokens);
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    split.tokens.insert(split.tokens.end(), encoded[i].begin(), encoded[i].end());
    split.text_bytes += static_cast<int64_t>(pieces[i].text.size());
    split.unknown_tokens += std::count(encoded[i].begin(), encoded[i].end(), tokenizer.unknown());
    encoded[i] = {};
  }
  return split;
}

}  // namespace scalelaw
