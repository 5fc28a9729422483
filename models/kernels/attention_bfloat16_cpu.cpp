#include "models/kernels/attention_bfloat16.h"

#include <algorithm>
#include <cmath>

#include "models/kernels/attention.h"
#include "models/kernels/bfloat16_operands.h"
#include "models/kernels/dense_product.h"
#include "models/kernels/softmax.h"
#include "models/kernels/transpose.h"

namespace scalelaw {

BFloat16AttentionHead::BFloat16AttentionHead(int64_t n_tokens, int64_t d_head)
    : n_tokens_(n_tokens),
      d_head_(d_head),
      block_(std::min(n_tokens, attention_block(n_tokens))),
      scale_(1.0f / std::sqrt(static_cast<float>(d_head))) {
  scores_.resize(static_cast<size_t>(block_ * n_tokens));
  turned_.resize(static_cast<size_t>(d_head * n_tokens));
  query_numbers_.resize(static_cast<size_t>(n_tokens));
}

// By blocks of queries, on turned scores [keys, queries]. The result comes out turned as well.
void BFloat16AttentionHead::forward(ConstMatrix q, ConstMatrix k, ConstMatrix v, Matrix out,
                                    float* log_sum) {
  const int64_t T = n_tokens_, D = d_head_;
  const BFloat16Rows q_rows(T, D, q), k_rows(T, D, k), v_rows(T, D, v);
  const PairedRows q_turned = PairedRows::of_transposed(D, T, q_rows.from(0), block_);
  const TransposedRows v_turned(T, D, v_rows.from(0));
  for (int64_t first = 0; first < T; first += block_) {
    const int64_t queries = std::min(block_, T - first), keys = first + queries;
    const Matrix scores = {scores_.data(), queries}, result = {turned_.data() + first, T};
    dense_product(keys, queries, D, k_rows.from(0), q_turned.from(0, first), scores,
                  /*add=*/false);
    causal_exponentials(keys, queries, first, scale_, scores, query_numbers_.data(),
                        log_sum + first);
    const PairedRows exponentials(keys, queries, ConstMatrix{scores.data, queries});
    dense_product(D, queries, keys, v_turned.from_column(0), exponentials.from(0), result,
                  /*add=*/false);
    divide_columns(D, queries, query_numbers_.data(), result);
  }
  transpose(D, T, {turned_.data(), T}, out);
}

// By blocks of keys, on turned scores [keys, queries].
void BFloat16AttentionHead::backward(ConstMatrix q, ConstMatrix k, ConstMatrix v, ConstMatrix out,
                                     ConstMatrix out_gradient, const float* log_sum, Matrix dq,
                                     Matrix dk, Matrix dv) {
  const int64_t T = n_tokens_, D = d_head_;
  // of each query, the sum over keys of probability times its gradient
  row_products(T, D, out, out_gradient, query_numbers_.data());
  const BFloat16Rows q_rows(T, D, q), k_rows(T, D, k), v_rows(T, D, v), g_rows(T, D, out_gradient);
  const PairedRows q_turned = PairedRows::of_transposed(D, T, q_rows.from(0), block_);
  const PairedRows g_turned = PairedRows::of_transposed(D, T, g_rows.from(0), block_);
  const PairedRows q_paired(T, D, q_rows.from(0)), g_paired(T, D, g_rows.from(0));
  const TransposedRows k_turned(T, D, k_rows.from(0));
  score_gradients_.resize(scores_.size());
  for (int64_t first = 0; first < T; first += block_) {
    const int64_t keys = std::min(block_, T - first), queries = T - first;
    const Matrix scores = {scores_.data(), queries}, gradients = {score_gradients_.data(), queries};
    dense_product(keys, queries, D, k_rows.from(first), q_turned.from(0, first), scores,
                  /*add=*/false);
    dense_product(keys, queries, D, v_rows.from(first), g_turned.from(0, first), gradients,
                  /*add=*/false);
    causal_softmax_backward(keys, queries, scale_, log_sum + first, query_numbers_.data() + first,
                            scores, gradients);
    const BFloat16Rows probabilities(keys, queries, {scores.data, queries});
    const BFloat16Rows into_scores(keys, queries, {gradients.data, queries});
    dense_product(keys, D, queries, probabilities.from(0), g_paired.from(first),
                  {dv.data + first * dv.stride, dv.stride}, /*add=*/false);
    dense_product(keys, D, queries, into_scores.from(0), q_paired.from(first),
                  {dk.data + first * dk.stride, dk.stride}, /*add=*/false);
    const PairedRows paired_into_scores(keys, queries, into_scores.from(0));
    dense_product(D, queries, keys, k_turned.from_column(first), paired_into_scores.from(0),
                  {turned_.data() + first, T}, /*add=*/first > 0);
  }
  transpose(D, T, {turned_.data(), T}, dq);
}

}  // namespace scalelaw
