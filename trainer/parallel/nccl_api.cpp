#include "trainer/parallel/nccl_api.h"

#include <dlfcn.h>

#include <stdexcept>
#include <string>

namespace scalelaw::nccl {
namespace {

template <typename Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) {
    throw std::runtime_error("libnccl.so.2 has no " + std::string(name) +
                             "; several GPUs cannot share a run with it");
  }
}

Api load() {
  void* library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) {
    throw std::runtime_error(
        "NCCL (libnccl.so.2) is not loaded with LibTorch's CUDA half; several GPUs cannot share a "
        "run without it");
  }
  Api functions = {};
  find(library, "ncclGetUniqueId", functions.get_unique_id);
  find(library, "ncclCommInitRank", functions.init_rank);
  find(library, "ncclAllReduce", functions.all_reduce);
  find(library, "ncclBroadcast", functions.broadcast);
  find(library, "ncclCommAbort", functions.abort);
  find(library, "ncclGetErrorString", functions.error_text);
  return functions;
}

}  // namespace

const Api& api() {
  static const Api functions = load();
  return functions;
}

}  // namespace scalelaw::nccl
