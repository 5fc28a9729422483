// The recurrence of an LSTM over all time steps in one launch, after the persistent kernels of
// Diamos et al. 2016: a block keeps kRows sequences of a replica for all of time, its registers
// hold W_hh, in float32 as the state, and blocks have nothing to tell each other.
//
// kRows x kUnits threads, kUnits the width rounded up; thread i keeps the state of unit i / kRows
// in the block's sequence i % kRows. A product is split over the lanes of a group: each multiplies
// its part of the summed dimension with 4 columns of the weights for all kRows sequences, 16
// multiply-adds for every 16 bytes that it reads from shared memory; then the lanes' sums are added
// up, each where it is needed. Units and sequences that are not there are zeros.
#include "models/kernels/cuda_launch.h"
#include "models/kernels/cuda_table.h"
#include "models/kernels/lstm_math.h"

namespace scalelaw::cuda {
namespace {

constexpr int kRows = 4;
constexpr int kUnitStep = 16;  // of kUnits
// Of a group: in forward one unit, its gates the columns; in backward four units, the columns.
constexpr int kForwardLanes = kRows, kBackwardLanes = 4 * kRows;

struct alignas(16) Four {
  float at[4];
};

// What one thread has of W_hh, parts x 4 columns of 4 numbers: in registers, and in the block's
// shared memory what these do not hold.
template <int kUnits>
struct Weights {
  static constexpr int kThreads = kRows * kUnits;
  static constexpr int kParts = kUnits / kUnitStep;
  static constexpr int kKept = kParts <= 6 ? kParts : 4;
  static constexpr int kSharedBytes = (kParts - kKept) * 4 * kThreads * int{sizeof(Four)};
  // As many blocks a multiprocessor as these registers and some 64 more leave.
  static constexpr int kFileBlocks = 65536 / (kThreads * (16 * kKept + 64));
  static constexpr int kBlocks = kFileBlocks > 1 ? kFileBlocks : 1;

  __device__ Four& at(int part, int column) {
    if (part < kKept) return kept[part][column];
    return static_cast<Four*>(
        dynamic_shared())[((part - kKept) * 4 + column) * kThreads + static_cast<int>(threadIdx.x)];
  }
  // number(part, column, k) says what they are.
  template <typename Number>
  __device__ void fill(Number number) {
#pragma unroll
    for (int part = 0; part < kParts; ++part) {
#pragma unroll
      for (int i = 0; i < 16; ++i) at(part, i % 4).at[i / 4] = number(part, i % 4, i / 4);
    }
  }

  Four kept[kKept][4];
};

// sums[kRows column + row] += what this lane has of row and column: the numbers kLanes part + lane
// of a row of x, times the weights of (part, column).
template <int kLanes, int kUnits, int kLength>
__device__ inline void add_products(const Four (&x)[kRows][kLength], int lane,
                                    Weights<kUnits>& weights, float (&sums)[4 * kRows]) {
#pragma unroll
  for (int part = 0; part < kUnits / kUnitStep; ++part) {
    Four read[kRows];
#pragma unroll
    for (int row = 0; row < kRows; ++row) read[row] = x[row][kLanes * part + lane];
#pragma unroll
    for (int column = 0; column < 4; ++column) {
      const Four weight = weights.at(part, column);
#pragma unroll
      for (int row = 0; row < kRows; ++row) {
#pragma unroll
        for (int k = 0; k < 4; ++k) sums[kRows * column + row] += read[row].at[k] * weight.at[k];
      }
    }
  }
}

// Of kLanes numbers in each of kLanes neighbouring lanes, lane i is given the sum of the i-th.
template <int kLanes>
__device__ inline float sum_of_lane(const float* numbers) {
  if constexpr (kLanes == 1) {
    return numbers[0];
  } else {
    constexpr int kHalf = kLanes / 2;
    const bool upper = (threadIdx.x & static_cast<unsigned>(kHalf)) != 0;
    float sums[kHalf];
#pragma unroll
    for (int i = 0; i < kHalf; ++i) {
      const float mine = upper ? numbers[i + kHalf] : numbers[i];
      const float theirs = upper ? numbers[i] : numbers[i + kHalf];
      sums[i] = mine + exchanged(theirs, kHalf);
    }
    return sum_of_lane<kHalf>(sums);
  }
}

// Where the state lies that a thread keeps.
struct Cell {
  int row_of_block, unit;
  bool exists;
  int64_t first, step;  // of [R, T, rows, W]: at the first step, and from one to the next
};

template <typename Arguments>
__device__ inline Cell cell_of(const Arguments& a, int64_t replica, int64_t tile) {
  const int row_of_block = static_cast<int>(threadIdx.x) % kRows;
  const int unit = static_cast<int>(threadIdx.x) / kRows;
  const int64_t row = tile * kRows + row_of_block;
  return {row_of_block, unit, row < a.rows && unit < a.width,
          (replica * a.steps * a.rows + row) * a.width + unit, a.rows * a.width};
}

// The first of the four gates, width apart, of the state at `state` of [R, T, rows, W].
__device__ inline int64_t first_gate(int64_t state, const Cell& own) {
  return 4 * (state - own.unit) + own.unit;
}

template <int kUnits>
__global__ void __launch_bounds__(Weights<kUnits>::kThreads, Weights<kUnits>::kBlocks)
    persistent_forward_kernel(PersistentLstmForwardArguments a) {
  // Of the step before and of this one; two Fours more, so that a warp writes to 32 banks.
  __shared__ Four hidden_states[2][kRows][kUnits / 4 + 2];
  const auto width = static_cast<int>(a.width), steps = static_cast<int>(a.steps);
  const int64_t tiles = ceil_divide(a.rows, kRows);
  for (int64_t item = blockIdx.x; item < a.replicas * tiles; item += gridDim.x) {
    const Cell own = cell_of(a, item / tiles, item % tiles);
    const int lane = own.row_of_block;
    const float* recurrent = a.weight.data + item / tiles * a.weight.stride + own.unit;
    Weights<kUnits> weights;
    weights.fill([&](int part, int gate, int k) {
      const int from = kUnitStep * part + 4 * lane + k;
      return from < width && own.unit < width ? recurrent[(4 * from + gate) * width] : 0.0f;
    });
    const auto input_of = [&](int t) {
      Four x = {};
#pragma unroll
      for (int gate = 0; gate < 4; ++gate) {
        if (!own.exists) break;
        x.at[gate] = a.gates[first_gate(own.first + t * own.step, own) + gate * width];
      }
      return x;
    };
    Four ahead = input_of(0);
    float cell = 0.0f;
    for (int t = 0; t < steps; ++t) {
      Four x = ahead;
      if (t + 1 < steps) ahead = input_of(t + 1);
      if (t > 0) {
        float sums[4 * kRows] = {};
        add_products<kForwardLanes>(hidden_states[(t + 1) % 2], lane, weights, sums);
#pragma unroll
        for (int gate = 0; gate < 4; ++gate) {
          x.at[gate] += sum_of_lane<kForwardLanes>(sums + kRows * gate);
        }
      }
      float hidden = 0.0f;
      if (own.exists) {
        const LstmGates on = lstm_activations({x.at[0], x.at[1], x.at[2], x.at[3]});
        cell = on.input * on.candidate + (t > 0 ? on.forget * cell : 0.0f);
        hidden = on.output * vector_math::tanh(cell);
        const int64_t state = own.first + t * own.step;
        float* gates = a.gates + first_gate(state, own);
        gates[0] = on.input;
        gates[width] = on.forget;
        gates[2 * width] = on.candidate;
        gates[3 * width] = on.output;
        a.cells[state] = cell;
        a.hidden[state] = hidden;
        auto* hidden_bf16 = static_cast<BFloat16*>(a.hidden_bf16);
        if (hidden_bf16 != nullptr) round_to(hidden, hidden_bf16[state]);
      }
      hidden_states[t % 2][own.row_of_block][own.unit / 4].at[own.unit % 4] = hidden;
      __syncthreads();
    }
  }
}

// What forward has kept of a cell, and the gradient from above.
struct Kept {
  Four gates;
  float previous_cell, hidden_gradient;
};

template <int kUnits>
__global__ void __launch_bounds__(Weights<kUnits>::kThreads, Weights<kUnits>::kBlocks)
    persistent_backward_kernel(PersistentLstmBackwardArguments a) {
  // Of the step after and of this one, a unit's gates side by side; two Fours more as in forward.
  __shared__ Four gate_gradients[2][kRows][kUnits + 2];
  const auto width = static_cast<int>(a.width), steps = static_cast<int>(a.steps);
  const int64_t tiles = ceil_divide(a.rows, kRows);
  const int lane = static_cast<int>(threadIdx.x) % kBackwardLanes;
  for (int64_t item = blockIdx.x; item < a.replicas * tiles; item += gridDim.x) {
    const Cell own = cell_of(a, item / tiles, item % tiles);
    const float* recurrent = a.weight.data + item / tiles * a.weight.stride;
    Weights<kUnits> weights;
    weights.fill([&](int part, int column, int gate) {
      const int from = own.unit / 4 * 4 + column, to = kUnitStep * part + lane;
      return from < width && to < width ? recurrent[(4 * from + gate) * width + to] : 0.0f;
    });
    const auto kept_of = [&](int t) {
      Kept kept = {};
      if (!own.exists) return kept;
      const int64_t state = own.first + t * own.step;
#pragma unroll
      for (int gate = 0; gate < 4; ++gate) {
        kept.gates.at[gate] = a.gates[first_gate(state, own) + gate * width];
      }
      if (t > 0) kept.previous_cell = a.cells[state - own.step];
      kept.hidden_gradient = a.hidden_gradient[state];
      return kept;
    };
    Kept ahead = kept_of(steps - 1);
    float cell = own.exists ? a.cells[own.first + (steps - 1) * own.step] : 0.0f;
    float cell_gradient = 0.0f;
    for (int t = steps - 1; t >= 0; --t) {
      const Kept kept = ahead;
      if (t > 0) ahead = kept_of(t - 1);
      float dh = kept.hidden_gradient;
      if (t + 1 < steps) {
        float sums[4 * kRows] = {};
        add_products<kBackwardLanes>(gate_gradients[(t + 1) % 2], lane, weights, sums);
        dh += sum_of_lane<kBackwardLanes>(sums);
      }
      const LstmGates d = lstm_gate_gradients(
          {kept.gates.at[0], kept.gates.at[1], kept.gates.at[2], kept.gates.at[3]},
          kept.previous_cell, cell, dh, cell_gradient);
      cell = kept.previous_cell;
      const Four gradients = {d.input, d.forget, d.candidate, d.output};
      gate_gradients[t % 2][own.row_of_block][own.unit] = gradients;
#pragma unroll
      for (int gate = 0; gate < 4; ++gate) {
        if (!own.exists) break;
        const int64_t at = first_gate(own.first + t * own.step, own) + gate * width;
        a.gates[at] = gradients.at[gate];
        if (a.gates_bf16 == nullptr) continue;
        round_to(gradients.at[gate], static_cast<BFloat16*>(a.gates_bf16)[at]);
      }
      __syncthreads();
    }
  }
}

template <int kCount>
struct Units {
  static constexpr int kUnits = kCount;
};

// visit() with the smallest number of units that holds the width.
template <int kUnits = kUnitStep, typename Visit>
int by_units(int64_t width, Visit visit) {
  if constexpr (kUnits < kMaxPersistentLstmWidth) {
    if (width > kUnits) return by_units<kUnits + kUnitStep>(width, visit);
  }
  return visit(Units<kUnits>());
}

// The most units for which the backward kernel, which shares more than the forward one, has room.
template <int kUnits = kMaxPersistentLstmWidth>
int64_t most_units(int shared_bytes) {
  if constexpr (kUnits > kUnitStep) {
    constexpr int kGradients = 2 * kRows * (kUnits + 2) * int{sizeof(Four)};
    if (Weights<kUnits>::kSharedBytes + kGradients > shared_bytes) {
      return most_units<kUnits - kUnitStep>(shared_bytes);
    }
  }
  return kUnits;
}

template <typename Arguments>
dim3 grid_of_tiles(const Arguments& a) {
  return grid_for(a.replicas * ceil_divide(a.rows, kRows));
}

}  // namespace

int64_t widest_persistent_lstm() {
  return most_units(most_shared_bytes());
}

int persistent_lstm_forward(const PersistentLstmForwardArguments& a, void* stream) {
  return by_units(a.width, [&](auto units) {
    constexpr int kUnits = decltype(units)::kUnits;
    return launch_sharing(persistent_forward_kernel<kUnits>, grid_of_tiles(a), dim3(kRows * kUnits),
                          Weights<kUnits>::kSharedBytes, stream, a);
  });
}

int persistent_lstm_backward(const PersistentLstmBackwardArguments& a, void* stream) {
  return by_units(a.width, [&](auto units) {
    constexpr int kUnits = decltype(units)::kUnits;
    return launch_sharing(persistent_backward_kernel<kUnits>, grid_of_tiles(a),
                          dim3(kRows * kUnits), Weights<kUnits>::kSharedBytes, stream, a);
  });
}

}  // namespace scalelaw::cuda
