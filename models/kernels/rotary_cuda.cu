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
  const int pairs = (a.values ? 3 : 2) * n_head * half;
  for (int64_t row = blockIdx.x; row < a.windows * a.tokens; row += gridDim.x) {
    const int64_t window = row / a.tokens, token = row % a.tokens;
    const int64_t angles = token * half;
    for (int pair = threadIdx.x; pair < pairs; pair += kThreads) {
      const int of_parts = pair / half, j = pair % half;
      const int part = of_parts / n_head, head = of_parts % n_head;
      const DeviceHeads& heads = a.from[part];
      const T* from = static_cast<const T*>(heads.data) + window * heads.window_stride +
                      head * heads.head_stride + token * heads.token_stride;
      T* to = static_cast<T*>(a.to) + (row * 3 * n_head + of_parts) * a.d_head;
      float first = as_float(from[j]), second = as_float(from[j + half]);
      if (part < 2)
        turn_pair(a.cosine[angles + j], a.direction * a.sine[angles + j], first, second);
      round_to(first, to[j]);
      round_to(second, to[j + half]);
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
