// Causal softmax of blocks of attention scores that lie turned: a row is a key, a column a query,
// so that maxima and sums of all queries run side by side. Rows lie `stride` apart.
#pragma once

#include <cstdint>

#include "models/kernels/matrix.h"

namespace scalelaw {

// Keys above their query (row - first_query > column) are masked.
// scores [keys, queries] become exp(scale (score - the query's largest)), 0 where masked.
//   sum[c] = the sum over query c's keys
//   log_sum[c] = log sum over its keys of exp(scale score)
void causal_exponentials(int64_t keys, int64_t queries, int64_t first_query, float scale,
                         Matrix scores, float* sum, float* log_sum);

// Keys above their query (row > column) are masked. With p = exp(scale score - log_sum[c]):
//   scores [keys, queries] become p, gradients of p become scale p (gradient - mean_gradient[c]),
// both 0 where masked.
void causal_softmax_backward(int64_t keys, int64_t queries, float scale, const float* log_sum,
                             const float* mean_gradient, Matrix scores, Matrix gradients);

// sum[c] = sum over rows of a[r, c] b[r, c], both [rows, columns].
void column_products(int64_t rows, int64_t columns, ConstMatrix a, ConstMatrix b, float* sum);

// sum[r] = sum over columns of a[r, c] b[r, c], both [rows, columns].
void row_products(int64_t rows, int64_t columns, ConstMatrix a, ConstMatrix b, float* sum);

// x [rows, columns]: column c divided by divisor[c].
void divide_columns(int64_t rows, int64_t columns, const float* divisor, Matrix x);

}  // namespace scalelaw
