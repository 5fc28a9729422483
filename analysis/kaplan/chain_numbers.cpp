#include "analysis/kaplan/chain_numbers.h"

#include <cmath>

#include "analysis/number_text.h"

namespace scalelaw {

std::string name(ChainNumber which) {
  static constexpr const char* kNames[] = {"naive_loss_exponent",
                                           "naive_ln_c_c_flops",
                                           "naive_size_exponent",
                                           "naive_steps_exponent",
                                           "adjusted_loss_exponent",
                                           "adjusted_ln_c_c_flops",
                                           "adjusted_size_exponent",
                                           "adjusted_batch_exponent",
                                           "adjusted_steps_exponent",
                                           "a_n",
                                           "a_s",
                                           "ln_n_c",
                                           "ln_s_c",
                                           "predicted_loss_exponent",
                                           "predicted_size_exponent",
                                           "predicted_batch_exponent",
                                           "predicted_steps_exponent",
                                           "loss_exponent_difference",
                                           "size_exponent_difference",
                                           "batch_exponent_difference",
                                           "steps_exponent_difference",
                                           "above_converged",
                                           "cheap_size_low",
                                           "cheap_size_high",
                                           "limit_ln_c_min_flops",
                                           "limit_ln_n",
                                           "limit_ln_d_tokens",
                                           "limit_loss"};
  static_assert(std::size(kNames) == kChainNumbers);
  return kNames[static_cast<std::size_t>(which)];
}

std::string number_text(const Chain& chain, ChainNumber which, int decimals) {
  const ChainEstimate* found = chain.find(which);
  if (found == nullptr) return "-";
  std::string text = fixed(found->value, decimals);
  if (found->interval) {
    text += " " + interval_text(found->interval->low, found->interval->high, decimals);
  }
  return text;
}

// Of ln x: x with its interval.
std::string scale_text(const Chain& chain, ChainNumber which, double unit) {
  const ChainEstimate* found = chain.find(which);
  if (found == nullptr) return "-";
  std::string text = scientific(std::exp(found->value) / unit);
  if (found->interval) {
    text += " [" + scientific(std::exp(found->interval->low) / unit) + ", " +
            scientific(std::exp(found->interval->high) / unit) + "]";
  }
  return text;
}

}  // namespace scalelaw
