#include "models/kernels/cuda_launch.h"
#include "models/kernels/cuda_table.h"
#include "models/kernels/vector_math.h"

namespace scalelaw::cuda {
namespace {

constexpr int64_t kNarrow = 512;  // up to so many logits a row is one warp's
constexpr float kLowest = -3.402823466e38f;

// Of some of a row's logits: the sum of exp(logit - maximum), and where the maximum is first.
struct Summary {
  float maximum, sum;
  int64_t first;
};

__device__ inline Summary exchanged(const Summary& s, int distance) {
  return {cuda::exchanged(s.maximum, distance), cuda::exchanged(s.sum, distance),
          cuda::exchanged(s.first, distance)};
}

// NaN loses in the maximum and stays in the sum.
struct Merge {
  __device__ Summary operator()(const Summary& a, const Summary& b) const {
    const float maximum = b.maximum > a.maximum ? b.maximum : a.maximum;
    // Rounded one by one, so that the order of a and b, which differs between lanes, is nothing.
    const float sum = __fmul_rn(a.sum, vector_math::exp(a.maximum - maximum)) +
                      __fmul_rn(b.sum, vector_math::exp(b.maximum - maximum));
    const bool from_b = b.maximum > a.maximum || (b.maximum == a.maximum && b.first < a.first);
    return {maximum, sum, from_b ? b.first : a.first};
  }
};

template <typename T, int kWarps>
__global__ void cross_entropy_kernel(CrossEntropyArguments a) {
  constexpr int kThreads = kWarps * kWarp;
  for (int64_t r = blockIdx.x; r < a.rows; r += gridDim.x) {
    T* row = static_cast<T*>(a.logits) + r * a.row_stride;
    Summary mine = {kLowest, 0.0f, a.vocabulary};
    for (int64_t v = threadIdx.x; v < a.vocabulary; v += kThreads) {
      const float x = as_float(row[v]);
      if (x > mine.maximum) {
        mine = {x, mine.sum * vector_math::exp(mine.maximum - x) + 1.0f, v};
      } else {
        mine.sum += vector_math::exp(x - mine.maximum);
      }
    }
    const Summary all = over_block<kWarps>(mine, Merge());
    const int64_t target = a.targets[r];
    const float target_logit = as_float(row[target]);
    if (threadIdx.x == 0) {
      a.loss_nats[r] = logf(all.sum) + (all.maximum - target_logit);
      // Not where the row holds NaN, which the maximum has passed over.
      if (a.correct != nullptr) a.correct[r] = all.first == target && all.sum == all.sum;
    }
    if (a.gradient_scale == 0.0f) continue;
    together<kWarps>();  // the target's logit has been read
    const float factor = a.gradient_scale / all.sum;
    for (int64_t v = threadIdx.x; v < a.vocabulary; v += kThreads) {
      const float probability = factor * vector_math::exp(as_float(row[v]) - all.maximum);
      round_to(v == target ? probability - a.gradient_scale : probability, row[v]);
    }
  }
}

}  // namespace

int cross_entropy(const CrossEntropyArguments& a, void* stream) {
  return by_type(a.type, [&](auto element) {
    using T = decltype(element);
    if (a.vocabulary <= kNarrow) {
      return launch(cross_entropy_kernel<T, 1>, grid_for(a.rows), dim3(kWarp), stream, a);
    }
    return launch(cross_entropy_kernel<T, 16>, grid_for(a.rows), dim3(16 * kWarp), stream, a);
  });
}

}  // namespace scalelaw::cuda
