#include "models/kernels/column_sums_cuda.h"
#include "models/kernels/cuda_launch.h"
#include "models/kernels/cuda_table.h"
#include "models/kernels/layer_norm_math.h"

namespace scalelaw::cuda {
namespace {

// A row is kept in the registers of a block of kWarps warps, kEach numbers a thread.
template <int kWarpCount, int kNumbers>
struct Shape {
  static constexpr int kWarps = kWarpCount, kEach = kNumbers;
  static constexpr int kThreads = kWarps * kWarp;
  static constexpr int64_t kWidth = kThreads * kEach;
};

// visit() with the smallest shape that holds a row.
template <typename Visit>
int by_width(int64_t width, Visit visit) {
  using Narrow = Shape<1, 4>;
  using Middle = Shape<4, 8>;
  using Wide = Shape<8, 16>;
  static_assert(Wide::kWidth == kMaxNormWidth);
  if (width <= Narrow::kWidth) return visit(Narrow());
  if (width <= Middle::kWidth) return visit(Middle());
  return visit(Wide());
}

template <typename Branch, typename Normed, typename S>
__global__ void norm_forward_kernel(NormForwardArguments a) {
  const auto* branch = static_cast<const Branch*>(a.branch);
  auto* normed = static_cast<Normed*>(a.normed);
  const auto count = static_cast<float>(a.width);
  for (int64_t row = blockIdx.x; row < a.replicas * a.rows; row += gridDim.x) {
    float x[S::kEach];
    float sum = 0.0f, squares = 0.0f;
#pragma unroll
    for (int k = 0; k < S::kEach; ++k) {
      const int64_t j = threadIdx.x + k * S::kThreads, at = row * a.width + j;
      if (j >= a.width) break;
      x[k] = a.residual[at];
      if (branch != nullptr) {
        x[k] += as_float(branch[at]);
        a.sum[at] = x[k];
      }
      sum += x[k];
    }
    const float mean = sum_over_block<S::kWarps>(sum) / count;
#pragma unroll
    for (int k = 0; k < S::kEach; ++k) {
      if (threadIdx.x + k * S::kThreads < a.width) squares += (x[k] - mean) * (x[k] - mean);
    }
    const float variance = sum_over_block<S::kWarps>(squares) / count;
    const float rstd = 1.0f / sqrtf(variance + a.epsilon);
    const int64_t r = row / a.rows;
#pragma unroll
    for (int k = 0; k < S::kEach; ++k) {
      const int64_t j = threadIdx.x + k * S::kThreads;
      if (j >= a.width) break;
      float y = normalised(x[k], mean, rstd, a.gain.data[r * a.gain.stride + j]);
      if (a.bias.data != nullptr) y += a.bias.data[r * a.bias.stride + j];
      round_to(y, normed[row * a.width + j]);
    }
    if (threadIdx.x == 0) {
      a.moments[2 * row] = mean;
      a.moments[2 * row + 1] = rstd;
    }
  }
}

// One block a part of a replica's rows, one row after another: the thread that owns a column adds
// up its gain's and bias's gradients.
template <typename Normed, typename S>
__global__ void norm_backward_kernel(NormBackwardArguments a) {
  const auto* normed_gradient = static_cast<const Normed*>(a.normed_gradient);
  auto* x_gradient_bf16 = static_cast<BFloat16*>(a.x_gradient_bf16);
  const auto count = static_cast<float>(a.width);
  const int64_t parts = row_parts(a.rows);
  for (int64_t item = blockIdx.x; item < a.replicas * parts; item += gridDim.x) {
    const int64_t r = item / parts, begin = item % parts * kRowsPerPart;
    const int64_t end = smaller(begin + kRowsPerPart, a.rows);
    float gain[S::kEach], gain_sum[S::kEach], bias_sum[S::kEach];
#pragma unroll
    for (int k = 0; k < S::kEach; ++k) {
      const int64_t j = threadIdx.x + k * S::kThreads;
      gain[k] = j < a.width ? a.gain.data[r * a.gain.stride + j] : 0.0f;
      gain_sum[k] = bias_sum[k] = 0.0f;
    }
    for (int64_t row = r * a.rows + begin; row < r * a.rows + end; ++row) {
      const float mean = a.moments[2 * row], rstd = a.moments[2 * row + 1];
      float x[S::kEach], g[S::kEach];
      float sum_g = 0.0f, sum_gx = 0.0f;
#pragma unroll
      for (int k = 0; k < S::kEach; ++k) {
        const int64_t j = threadIdx.x + k * S::kThreads, at = row * a.width + j;
        if (j >= a.width) break;
        const float dy = as_float(normed_gradient[at]);
        x[k] = a.x[at];
        // Rounded here and not inside of a later sum: in a row of one value rstd is large and
        // g - mean(g) is 0.
        g[k] = __fmul_rn(gain[k], dy);
        gain_sum[k] += dy * ((x[k] - mean) * rstd);
        bias_sum[k] += dy;
        sum_g += g[k];
        sum_gx += g[k] * (x[k] - mean);
      }
      const float mean_g = sum_over_block<S::kWarps>(sum_g) / count;
      const float mean_gy = rstd * (sum_over_block<S::kWarps>(sum_gx) / count);
#pragma unroll
      for (int k = 0; k < S::kEach; ++k) {
        const int64_t j = threadIdx.x + k * S::kThreads, at = row * a.width + j;
        if (j >= a.width) break;
        float dx = norm_gradient(g[k], x[k], mean, rstd, mean_g, mean_gy);
        if (a.residual_gradient != nullptr) dx += a.residual_gradient[at];
        a.x_gradient[at] = dx;
        if (x_gradient_bf16 != nullptr) round_to(dx, x_gradient_bf16[at]);
      }
    }
    float* sums = a.partial_sums + item * 2 * a.width;
#pragma unroll
    for (int k = 0; k < S::kEach; ++k) {
      const int64_t j = threadIdx.x + k * S::kThreads;
      if (j >= a.width) break;
      sums[j] = gain_sum[k];
      sums[a.width + j] = bias_sum[k];
    }
  }
}

}  // namespace

int norm_forward(const NormForwardArguments& a, void* stream) {
  return by_type(a.branch_type, [&](auto branch) {
    return by_type(a.normed_type, [&](auto normed) {
      return by_width(a.width, [&](auto shape) {
        using S = decltype(shape);
        return launch(norm_forward_kernel<decltype(branch), decltype(normed), S>,
                      grid_for(a.replicas * a.rows), dim3(S::kThreads), stream, a);
      });
    });
  });
}

int norm_backward(const NormBackwardArguments& a, void* stream) {
  const int64_t parts = row_parts(a.rows);
  int status = by_type(a.normed_type, [&](auto normed) {
    return by_width(a.width, [&](auto shape) {
      using S = decltype(shape);
      return launch(norm_backward_kernel<decltype(normed), S>, grid_for(a.replicas * parts),
                    dim3(S::kThreads), stream, a);
    });
  });
  if (status != 0) return status;
  status =
      add_parts(a.partial_sums, 2 * a.width, parts, a.gain_gradient, a.replicas, a.width, stream);
  if (status != 0 || a.bias_gradient.data == nullptr) return status;
  return add_parts(a.partial_sums + a.width, 2 * a.width, parts, a.bias_gradient, a.replicas,
                   a.width, stream);
}

}  // namespace scalelaw::cuda
