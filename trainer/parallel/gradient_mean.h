// Gradients and loss of the mean over all ranks' windows, from what each rank's backward adds.
//
// The arena's columns are cut into buckets, in reverse order of declaration, which is about the
// order in which backward ends with them. A bucket's sum over ranks starts as soon as the last of
// its gradients is written, always in the order of the buckets. How often a parameter's gradient is
// written (a tied embedding's twice) the first step learns, in which every sum starts after
// backward; a parameter that is also written without a word of it (models/gradient_watch.h) is
// found out then, and its bucket goes on waiting for the end. Buckets, and so sums, are the same
// bits whenever they start. The design is that of PyTorch's reducer (Li et al. 2020).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/gradient_watch.h"
#include "models/parameter_arena.h"
#include "trainer/parallel/rank_group.h"

namespace scalelaw {

struct GradientMeanOptions {
  int64_t bucket_elements = 1 << 20;  // at least, but for the last bucket: 4 MB
  bool overlaps = true;               // false: every sum starts after backward
};

class GradientMean : private GradientListener {
 public:
  // Of an arena of one replica (TORCH_CHECK).
  GradientMean(RankGroup& group, const ParameterArena& arena,
               const GradientMeanOptions& options = {});
  ~GradientMean() override;

  // The factor of each rank's mean loss in that over all ranks' windows.
  double share() const { return 1.0 / group_.size(); }
  // Before the backward that writes each gradient for the last time.
  void begin_last_backward();
  // After it: gradients and `loss` become sums over ranks.
  void finish(const at::Tensor& loss);
  // Once they have been read back: LostRank where they are not to be used.
  void check_whole() const { group_.check_whole(); }

  std::size_t buckets() const { return buckets_.size(); }
  // Of the last step: how many buckets were on their way before backward ended.
  std::size_t sent_early() const { return sent_early_; }

 private:
  struct Bucket {
    std::size_t first = 0, last = 0;  // parameters, by their place in specs()
    at::Tensor columns;               // (P of these)
    std::size_t unwritten = 0;        // parameters whose last write is to come
    std::unique_ptr<RankGroup::Pending> sum;
  };
  enum class Phase { kLearning, kKnown };

  void gradient_written(const at::Tensor& gradient) override;
  static at::Tensor fingerprint(const at::Tensor& gradient);  // (2) float64
  void learn_write(std::size_t parameter, const at::Tensor& gradient);
  void end_learning();
  void send_ready();
  at::Tensor columns_of(std::size_t parameter) const;

  RankGroup& group_;
  const ParameterArena& arena_;
  GradientMeanOptions options_;
  Phase phase_ = Phase::kLearning;
  std::vector<Bucket> buckets_;
  std::vector<std::size_t> bucket_of_;    // by parameter
  std::vector<int64_t> writes_expected_;  // by parameter, a backward; 0: not to be relied on
  std::vector<int64_t> writes_to_come_;
  std::vector<at::Tensor> as_last_written_;  // fingerprints of the learning step
  std::size_t next_ = 0;                     // the bucket to be sent
  std::size_t sent_early_ = 0;
};

}  // namespace scalelaw
