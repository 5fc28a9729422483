#include "models/kernels/cuda_launch.h"
#include "models/kernels/cuda_table.h"
#include "models/kernels/rotary_math.h"

namespace scalelaw::cuda {
namespace {

constexpr int kThreads = 256;

// One block a token, one pair (j, j + D / 2) of one head a thread.
template <typename T>
__global__ void rotary_kernel(RotaryArguments a) {
  const auto half = static_cast<int>(a.d_head / 2);
  const auto n_head = static_cast<int>(a.n_head);
  for (int64_t token = blockIdx.x; token < a.windows * a.tokens; token += gridDim.x) {
    const int64_t angles = token % a.tokens * half;
    for (int pair = threadIdx.x; pair < 3 * n_head * half; pair += kThreads) {
      const int head = pair / half, j = pair % half;
      const int64_t at = (token * 3 * n_head + head) * a.d_head + j;
      float first = as_float(static_cast<const T*>(a.from)[at]);
      float second = as_float(static_cast<const T*>(a.from)[at + half]);
      if (head < 2 * n_head) {
        turn_pair(a.cosine[angles + j], a.direction * a.sine[angles + j], first, second);
      }
      round_to(first, static_cast<T*>(a.to)[at]);
      round_to(second, static_cast<T*>(a.to)[at + half]);
    }
  }
}

}  // namespace

int rotary(const RotaryArguments& a, void* stream) {
  return by_type(a.type, [&](auto element) {
    return launch(rotary_kernel<decltype(element)>, grid_for(a.windows * a.tokens), dim3(kThreads),
                  stream, a);
  });
}

}  // namespace scalelaw::cuda
