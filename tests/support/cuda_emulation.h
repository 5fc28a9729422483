// The CUDA that models/kernels/*_cuda.cu are written in, on the CPU: included before each of them
// it makes the same source a C++ file whose launches run every thread of every block. A thread is a
// fiber that runs until it comes to a barrier or a shuffle, so sums over warps and blocks are
// really made; threads that do not meet end the program.
//
// What it cannot see: races on memory (all threads of a block take turns; a test can turn their
// order about with `backwards` and compare, which finds many), more than one block at a time, the
// limits of a GPU (shared memory, registers, alignment), and the speed of anything.
#pragma once

#define SCALELAW_EMULATES_CUDA
#define __global__
#define __device__
#define __shared__ static  // blocks run one after another
#define __launch_bounds__(...)

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace scalelaw::cuda_emulation {

inline bool backwards = false;  // the last thread of a block runs first

enum class State { kRuns, kAtWarp, kAtBlock, kEnded };

// Runs one thread of block after block; the first entry is by context, all others by jumps, which
// cost no system call.
struct Fiber {
  static constexpr std::size_t kStackBytes = 128 << 10;
  std::unique_ptr<char[]> stack = std::make_unique<char[]>(kStackBytes);
  ucontext_t context;
  jmp_buf place;
  bool entered = false;
  State state;
  uint64_t exchanged;
};

inline std::vector<std::unique_ptr<Fiber>> fibers;  // kept from launch to launch
inline jmp_buf scheduler;
inline unsigned current = 0;
inline std::function<void()> kernel;

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "emulated kernel: %s\n", what);
  std::abort();
}

// Gives up the turn in this state.
[[gnu::noinline]] inline void wait_at(State state) {
  fibers[current]->state = state;
  if (_setjmp(fibers[current]->place) == 0) _longjmp(scheduler, 1);
}

[[noreturn]] inline void run_threads() {
  while (true) {
    kernel();
    wait_at(State::kEnded);
  }
}

[[gnu::noinline]] inline void give_turn(Fiber& fiber) {
  if (_setjmp(scheduler) != 0) return;
  if (fiber.entered) _longjmp(fiber.place, 1);
  fiber.entered = true;
  setcontext(&fiber.context);
}

// Lets [begin, end) go on if all of them are there; true if so.
inline bool release(unsigned begin, unsigned end, State barrier) {
  for (unsigned i = begin; i < end; ++i) {
    if (fibers[i]->state != barrier) return false;
  }
  for (unsigned i = begin; i < end; ++i) fibers[i]->state = State::kRuns;
  return true;
}

// One turn of every thread that may run; false when none may.
inline bool take_turns(unsigned threads) {
  bool ran = false;
  for (unsigned turn = 0; turn < threads; ++turn) {
    current = backwards ? threads - 1 - turn : turn;
    if (fibers[current]->state != State::kRuns) continue;
    ran = true;
    threadIdx = dim3(current);
    give_turn(*fibers[current]);
  }
  return ran;
}

inline void run_block(unsigned threads) {
  for (unsigned i = 0; i < threads; ++i) fibers[i]->state = State::kRuns;
  while (take_turns(threads)) {
    for (unsigned warp = 0; warp < threads; warp += 32) release(warp, warp + 32, State::kAtWarp);
    release(0, threads, State::kAtBlock);
  }
  for (unsigned i = 0; i < threads; ++i) {
    if (fibers[i]->state != State::kEnded) fail("threads of a block do not meet at a barrier");
  }
}

inline void add_fiber() {
  fibers.push_back(std::make_unique<Fiber>());
  Fiber& fiber = *fibers.back();
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.get();
  fiber.context.uc_stack.ss_size = Fiber::kStackBytes;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, run_threads, 0);
}

inline void run(std::function<void()> call, dim3 grid, dim3 block) {
  // What a GPU would refuse, and what the kernels' warps assume.
  if (grid.x == 0 || grid.y == 0 || grid.y > 65535) fail("a grid that CUDA would refuse");
  if (block.x == 0 || block.x % 32 != 0 || block.x > 1024 || block.y != 1 || block.z != 1) {
    fail("a block that is not of whole warps along x");
  }
  while (fibers.size() < block.x) add_fiber();
  kernel = std::move(call);
  gridDim = grid;
  blockDim = block;
  for (unsigned y = 0; y < grid.y; ++y) {
    for (unsigned x = 0; x < grid.x; ++x) {
      blockIdx = dim3(x, y);
      run_block(block.x);
    }
  }
}

}  // namespace scalelaw::cuda_emulation

inline void __syncthreads() {
  scalelaw::cuda_emulation::wait_at(scalelaw::cuda_emulation::State::kAtBlock);
}
inline void __syncwarp() {
  scalelaw::cuda_emulation::wait_at(scalelaw::cuda_emulation::State::kAtWarp);
}
template <typename T>
T __shfl_xor_sync(unsigned, T value, int distance) {
  namespace emulation = scalelaw::cuda_emulation;
  const unsigned self = emulation::current;
  std::memcpy(&emulation::fibers[self]->exchanged, &value, sizeof(value));
  __syncwarp();
  std::memcpy(&value, &emulation::fibers[self ^ static_cast<unsigned>(distance)]->exchanged,
              sizeof(value));
  __syncwarp();
  return value;
}
inline float __fmul_rn(float a, float b) {
  return a * b;
}

using cudaError_t = int;
inline const char* cudaGetErrorString(cudaError_t) {
  return "none: an emulated launch does not fail";
}

namespace scalelaw::cuda {

inline int most_shared_bytes() {
  return 163 << 10;  // sm_80's
}
alignas(16) inline std::byte dynamic_shared_bytes[163 << 10];
inline void* dynamic_shared() {
  return dynamic_shared_bytes;
}

template <typename... Parameters>
int launch_sharing(void (*kernel)(Parameters...), dim3 grid, dim3 block, int shared_bytes, void*,
                   std::type_identity_t<Parameters>... arguments) {
  if (shared_bytes > most_shared_bytes()) {
    cuda_emulation::fail("more shared memory than a GPU has");
  }
  cuda_emulation::run([&] { kernel(arguments...); }, grid, block);
  return 0;
}
template <typename... Parameters>
int launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, void* stream,
           std::type_identity_t<Parameters>... arguments) {
  return launch_sharing(kernel, grid, block, 0, stream, arguments...);
}

}  // namespace scalelaw::cuda
