// What the ranks of a pack agree on.
#include <ATen/ops/zeros.h>

#include <stdexcept>
#include <string>

#include "trainer/checkpoint.h"
#include "trainer/pack.h"

namespace scalelaw {

// Weights, moments and cursor of rank 0, which alone has read them.
void Pack::follow_rank_zero() {
  RankGroup& ranks = *options_.ranks;
  if (ranks.size() == 1) return;
  const std::string cursor = broadcast_text(ranks, to_text(members_.front().cursor));
  for (const at::Tensor& buffer :
       {arena_.values(), optimizer_->first_moment(), optimizer_->second_moment()}) {
    ranks.broadcast(buffer);
  }
  if (keeps_books()) return;
  members_.front().begin_attempt(cursor_from_text(cursor), options_.provenance, /*share=*/1);
  step_ = members_.front().cursor.pack_step();
  optimizer_->set_updates_done(0, members_.front().cursor.step);
}

bool Pack::stop_agreed(bool stop) {
  if (options_.ranks->size() == 1) return stop;
  bool agreed = evaluation_stopped_;
  if (stop_sum_) {
    stop_sum_->wait();
    agreed = agreed || *stop_flags_.const_data_ptr<int64_t>() > 0;
  }
  stop_flags_ = at::zeros({1}, at::kLong);
  *stop_flags_.mutable_data_ptr<int64_t>() = stop ? 1 : 0;
  stop_sum_ = options_.ranks->start_sum(stop_flags_);  // on its way during the step
  if (agreed) check_ranks_agree();
  return agreed;
}

void Pack::check_ranks_agree() {
  if (options_.ranks->size() == 1) return;
  const std::vector<int> differing = ranks_that_differ(*options_.ranks, arena_.values());
  if (differing.empty()) return;
  updating_ = true;  // so that these weights are not kept
  std::string names;
  for (const int rank : differing) names += (names.empty() ? "" : ", ") + std::to_string(rank);
  throw std::runtime_error("after step " + std::to_string(step_) + " the weights of rank " + names +
                           " are not rank 0's: a machine or library among them computes otherwise. "
                           "The same command goes on from the last checkpoint");
}

}  // namespace scalelaw
