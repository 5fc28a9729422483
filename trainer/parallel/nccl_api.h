// The few functions and types of NCCL that are called, as nccl.h of NCCL 2.28.9 declares them. Its
// header is not needed to build, and no program links it: the functions are those of the
// libnccl.so.2 that LibTorch's CUDA half has loaded into the process.
#pragma once

#include <cstddef>

namespace scalelaw::nccl {

struct Communicator;  // ncclComm
struct UniqueId {     // ncclUniqueId
  char internal[128];
};
using Result = int;  // ncclResult_t; an int's size
inline constexpr Result kSuccess = 0, kInProgress = 7;
inline constexpr int kUint8 = 1, kInt64 = 4, kFloat32 = 7, kFloat64 = 8;  // ncclDataType_t
inline constexpr int kSum = 0;                                            // ncclRedOp_t
using Stream = void*;                                                     // cudaStream_t

struct Api {
  Result (*get_unique_id)(UniqueId*);
  Result (*init_rank)(Communicator**, int size, UniqueId, int rank);
  Result (*all_reduce)(const void* from, void* to, std::size_t count, int type, int operation,
                       Communicator*, Stream);
  Result (*broadcast)(const void* from, void* to, std::size_t count, int type, int root,
                      Communicator*, Stream);
  Result (*abort)(Communicator*);
  const char* (*error_text)(Result);
};

// std::runtime_error where NCCL, or one of these functions, is not in the process.
const Api& api();

}  // namespace scalelaw::nccl
