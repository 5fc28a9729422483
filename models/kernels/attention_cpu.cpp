#include <algorithm>
#include <cmath>

#include "models/kernels/attention.h"
#include "models/kernels/dense_product.h"
#include "models/kernels/softmax.h"
#include "models/kernels/transpose.h"

namespace scalelaw {
namespace {

ConstMatrix reading(Matrix x) {
  return {x.data, x.stride};
}
ConstMatrix from(ConstMatrix x, int64_t row) {
  return {x.data + row * x.stride, x.stride};
}
Matrix from(Matrix x, int64_t row) {
  return {x.data + row * x.stride, x.stride};
}
ConstMatrix columns_from(ConstMatrix x, int64_t column) {
  return {x.data + column, x.stride};
}
Matrix columns_from(Matrix x, int64_t column) {
  return {x.data + column, x.stride};
}

}  // namespace

int64_t attention_block(int64_t n_tokens) {
  return n_tokens <= 128 ? 32 : 64;
}

AttentionHead::AttentionHead(int64_t n_tokens, int64_t d_head)
    : n_tokens_(n_tokens),
      d_head_(d_head),
      block_(std::min(n_tokens, attention_block(n_tokens))),
      scale_(1.0f / std::sqrt(static_cast<float>(d_head))) {
  scores_.resize(static_cast<size_t>(block_ * n_tokens));
  query_numbers_.resize(static_cast<size_t>(n_tokens));
}

Matrix AttentionHead::room_for_turned(std::vector<float>& buffer) const {
  buffer.resize(static_cast<size_t>(d_head_ * n_tokens_));
  return {buffer.data(), n_tokens_};
}

ConstMatrix AttentionHead::turned(ConstMatrix x, std::vector<float>& buffer) const {
  const Matrix result = room_for_turned(buffer);
  transpose(n_tokens_, d_head_, x, result);
  return reading(result);
}

// By blocks of queries, on turned scores [keys, queries]. The result comes out turned as well.
void AttentionHead::forward(ConstMatrix q, ConstMatrix k, ConstMatrix v, Matrix out,
                            float* log_sum) {
  const ConstMatrix q_turned = turned(q, q_turned_), v_turned = turned(v, v_turned_);
  const Matrix out_turned = room_for_turned(out_turned_);
  for (int64_t first = 0; first < n_tokens_; first += block_) {
    const int64_t queries = std::min(block_, n_tokens_ - first), keys = first + queries;
    const Matrix scores = {scores_.data(), queries}, result = columns_from(out_turned, first);
    dense_product(keys, queries, d_head_, k, columns_from(q_turned, first), scores, /*add=*/false);
    causal_exponentials(keys, queries, first, scale_, scores, query_numbers_.data(),
                        log_sum + first);
    dense_product(d_head_, queries, keys, v_turned, reading(scores), result, /*add=*/false);
    divide_columns(d_head_, queries, query_numbers_.data(), result);
  }
  transpose(d_head_, n_tokens_, reading(out_turned), out);
}

// By blocks of keys, on turned scores [keys, queries]: then every product reads rows, and only
// matrices of T x D are turned.
void AttentionHead::backward(ConstMatrix q, ConstMatrix k, ConstMatrix v, ConstMatrix out,
                             ConstMatrix out_gradient, const float* log_sum, Matrix dq, Matrix dk,
                             Matrix dv) {
  const ConstMatrix q_turned = turned(q, q_turned_), k_turned = turned(k, k_turned_);
  const ConstMatrix g_turned = turned(out_gradient, g_turned_);
  // of each query, the sum over keys of probability times its gradient
  column_products(d_head_, n_tokens_, turned(out, out_turned_), g_turned, query_numbers_.data());
  const Matrix dq_turned = room_for_turned(out_turned_);
  score_gradients_.resize(scores_.size());
  for (int64_t first = 0; first < n_tokens_; first += block_) {
    const int64_t keys = std::min(block_, n_tokens_ - first), queries = n_tokens_ - first;
    const Matrix scores = {scores_.data(), queries}, gradients = {score_gradients_.data(), queries};
    dense_product(keys, queries, d_head_, from(k, first), columns_from(q_turned, first), scores,
                  /*add=*/false);
    dense_product(keys, queries, d_head_, from(v, first), columns_from(g_turned, first), gradients,
                  /*add=*/false);
    causal_softmax_backward(keys, queries, scale_, log_sum + first, query_numbers_.data() + first,
                            scores, gradients);
    dense_product(keys, d_head_, queries, reading(scores), from(out_gradient, first),
                  from(dv, first), /*add=*/false);
    dense_product(keys, d_head_, queries, reading(gradients), from(q, first), from(dk, first),
                  /*add=*/false);
    dense_product(d_head_, queries, keys, columns_from(k_turned, first), reading(gradients),
                  columns_from(dq_turned, first), /*add=*/first > 0);
  }
  transpose(d_head_, n_tokens_, reading(dq_turned), dq);
}

}  // namespace scalelaw
