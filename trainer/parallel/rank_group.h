// The processes that train one run together, each on its share of every batch ("ranks"), and what
// they do in common. Every rank makes the same calls in the same order; what an operation leaves
// has equal bits on all of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace scalelaw {

// Another process of the group is gone, or did not answer in time. The run goes on from its last
// checkpoint when it is started again, on any number of ranks.
class LostRank : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class RankGroup {
 public:
  // An operation under way. Its tensor must not be touched before wait(), which throws LostRank.
  class Pending {
   public:
    virtual ~Pending() = default;
    virtual void wait() = 0;
  };

  RankGroup(int rank, int size) : rank_(rank), size_(size) {}
  virtual ~RankGroup() = default;
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }

  // The tensor, dense, becomes its sum over all ranks.
  virtual std::unique_ptr<Pending> start_sum(const at::Tensor& tensor) = 0;
  // The tensor, dense, becomes rank 0's.
  virtual void broadcast(const at::Tensor& tensor) = 0;

  // Where wait() only orders the device's work: LostRank if what was waited for, and has been read
  // back since, is not to be used.
  virtual void check_whole() const {}

  void sum(const at::Tensor& tensor) { start_sum(tensor)->wait(); }

 private:
  int rank_, size_;
};

// A process by itself: every operation leaves the tensor as it is.
std::shared_ptr<RankGroup> alone();

// Rank 0's text, on every rank.
std::string broadcast_text(RankGroup& group, const std::string& text);

// Rank 0's number, and the least of all ranks' numbers.
int64_t of_rank_zero(RankGroup& group, int64_t number);
double least_over_ranks(RankGroup& group, double number);

// The ranks whose tensor has not rank 0's bits, in order; the same answer on all of them.
std::vector<int> ranks_that_differ(RankGroup& group, const at::Tensor& tensor);

}  // namespace scalelaw
