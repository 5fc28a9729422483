#include <cmath>

#include "models/kernels/cross_entropy.h"
#include "models/kernels/lanes.h"
#include "models/kernels/vector_math.h"

namespace scalelaw {
namespace {

SCALELAW_VECTOR_CLONES
float row_maximum(int64_t size, const float* row) {
  return lanes::maximum(size, [=](int64_t v) { return row[v]; });
}

SCALELAW_VECTOR_CLONES
float sum_of_exponentials(int64_t size, const float* row, float maximum) {
  return lanes::sum(size, [=](int64_t v) { return vector_math::exp(row[v] - maximum); });
}

SCALELAW_VECTOR_CLONES
float exponentiate(int64_t size, float* row, float maximum) {
  return lanes::sum(size, [=](int64_t v) { return row[v] = vector_math::exp(row[v] - maximum); });
}

SCALELAW_VECTOR_CLONES
void scale_row(int64_t size, float* __restrict row, float factor) {
  for (int64_t v = 0; v < size; ++v) row[v] *= factor;
}

bool is_first_maximum(const float* row, int64_t target, float maximum) {
  if (row[target] != maximum) return false;
  for (int64_t v = 0; v < target; ++v) {
    if (row[v] == maximum) return false;
  }
  return true;
}

}  // namespace

void cross_entropy_rows(int64_t rows, int64_t vocabulary, float* logits, const int64_t* targets,
                        float gradient_scale, float* loss_nats, bool* correct) {
  for (int64_t r = 0; r < rows; ++r) {
    float* row = logits + r * vocabulary;
    const int64_t target = targets[r];
    const float target_logit = row[target];
    const float maximum = row_maximum(vocabulary, row);
    const bool first_maximum = correct != nullptr && is_first_maximum(row, target, maximum);
    float sum = 0;
    if (gradient_scale == 0.0f) {
      sum = sum_of_exponentials(vocabulary, row, maximum);
    } else {
      sum = exponentiate(vocabulary, row, maximum);
      scale_row(vocabulary, row, gradient_scale / sum);
      row[target] -= gradient_scale;
    }
    loss_nats[r] = std::log(sum) + (maximum - target_logit);
    // Not where the row holds NaN, which the maximum may have passed over.
    if (correct != nullptr) correct[r] = first_maximum && !std::isnan(sum);
  }
}

}  // namespace scalelaw
