#include "models/kernels/adamw_math.h"
#include "models/kernels/cuda_launch.h"
#include "models/kernels/cuda_table.h"

namespace scalelaw::cuda {
namespace {

constexpr int kThreads = 256;

__global__ void adamw_kernel(AdamWArguments a) {
  for (int64_t r = blockIdx.y; r < a.replicas; r += gridDim.y) {
    const float* row = a.table + r * kAdamWColumns;
    if (row[7] == 0.0f) continue;
    const AdamWScalars with_decay = {row[0], row[1], row[2], row[3], 1.0f - row[4], row[5], row[6]};
    const int64_t begin = r * a.row_length;
    for (int64_t i = first_x(); i < a.row_length; i += step_x()) {
      AdamWScalars s = with_decay;
      if (a.decays[i] == 0.0f) s.keep = 1.0f;
      adamw_element(s, a.gradients[begin + i], a.values[begin + i], a.first_moment[begin + i],
                    a.second_moment[begin + i]);
    }
  }
}

}  // namespace

int adamw(const AdamWArguments& a, void* stream) {
  return launch(adamw_kernel, grid_for(ceil_divide(a.row_length, kThreads), a.replicas),
                dim3(kThreads), stream, a);
}

}  // namespace scalelaw::cuda
