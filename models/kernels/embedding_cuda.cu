#include "models/kernels/cuda_launch.h"
#include "models/kernels/cuda_table.h"

namespace scalelaw::cuda {
namespace {

constexpr int kThreads = 128;

__global__ void embedding_forward_kernel(EmbeddingForwardArguments a) {
  for (int64_t row = blockIdx.x; row < a.replicas * a.rows; row += gridDim.x) {
    const int64_t r = row / a.rows;
    const float* from = a.table.data + r * a.table.stride + a.tokens[row] * a.width;
    for (int64_t j = threadIdx.x; j < a.width; j += kThreads) a.out[row * a.width + j] = from[j];
  }
}

__device__ inline float* table_row(const EmbeddingBackwardArguments& a, int64_t key) {
  return a.sum.data + key / a.vocabulary * a.sum.stride + key % a.vocabulary * a.width;
}

// Equal keys are a run. A run inside one part goes to its table row at once; of a run that goes
// beyond a part each part keeps its share: in the first slot where the run came in from the part
// before, else in the second.
__global__ void sum_runs(EmbeddingBackwardArguments a) {
  for (int64_t part = blockIdx.x; part < row_parts(a.count); part += gridDim.x) {
    const int64_t begin = part * kRowsPerPart, end = smaller(begin + kRowsPerPart, a.count);
    const bool goes_on = end < a.count && a.keys[end] == a.keys[end - 1];
    for (int64_t j = threadIdx.x; j < a.width; j += kThreads) {
      bool came_in = begin > 0 && a.keys[begin] == a.keys[begin - 1];
      float sum = 0.0f;
      for (int64_t i = begin; i < end; ++i) {
        sum += a.gradient[a.order[i] * a.width + j];
        const bool last = i + 1 == end;
        if (!last && a.keys[i + 1] == a.keys[i]) continue;
        if (came_in) {
          a.partial_sums[2 * part * a.width + j] = sum;
        } else if (last && goes_on) {
          a.partial_sums[(2 * part + 1) * a.width + j] = sum;
        } else {
          table_row(a, a.keys[i])[j] += sum;
        }
        sum = 0.0f;
        came_in = false;
      }
    }
  }
}

// The shares of each run that goes beyond a part, in order, by the block of the part it begins in.
__global__ void join_runs(EmbeddingBackwardArguments a) {
  const int64_t parts = row_parts(a.count);
  for (int64_t part = blockIdx.x; part + 1 < parts; part += gridDim.x) {
    const int64_t begin = part * kRowsPerPart, end = begin + kRowsPerPart;
    const int64_t key = a.keys[end - 1];
    const bool begins_here = begin == 0 || a.keys[begin - 1] != key;
    if (!begins_here || a.keys[end] != key) continue;
    for (int64_t j = threadIdx.x; j < a.width; j += kThreads) {
      float sum = a.partial_sums[(2 * part + 1) * a.width + j];
      for (int64_t next = part + 1; next < parts && a.keys[next * kRowsPerPart] == key; ++next) {
        sum += a.partial_sums[2 * next * a.width + j];
      }
      table_row(a, key)[j] += sum;
    }
  }
}

}  // namespace

int embedding_forward(const EmbeddingForwardArguments& a, void* stream) {
  return launch(embedding_forward_kernel, grid_for(a.replicas * a.rows), dim3(kThreads), stream, a);
}

int embedding_backward(const EmbeddingBackwardArguments& a, void* stream) {
  const dim3 grid = grid_for(row_parts(a.count));
  const int status = launch(sum_runs, grid, dim3(kThreads), stream, a);
  if (status != 0) return status;
  return launch(join_runs, grid, dim3(kThreads), stream, a);
}

}  // namespace scalelaw::cuda
