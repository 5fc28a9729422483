// The wheel has Gloo's code inside libtorch_cpu and none of its headers. Of c10d's ProcessGroupGloo
// only its constructor and the virtual functions of c10d::Backend are called here, so its header
// needs these names alone: it holds all but the store by pointer, and the store's subclass that it
// defines is never made here. (A distribution's libgloo-dev is of another year than the code in the
// wheel and would be no safer.) scripts/cmake/LibTorch.cmake puts this in place of Gloo's headers.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

namespace rendezvous {
class Store {
 public:
  virtual ~Store() = default;
  virtual void set(const std::string& key, const std::vector<char>& data) = 0;
  virtual std::vector<char> get(const std::string& key) = 0;
  virtual void wait(const std::vector<std::string>& keys) = 0;
  virtual void wait(const std::vector<std::string>& keys,
                    const std::chrono::milliseconds& timeout) = 0;
};
}  // namespace rendezvous

namespace transport {
class Device;
class UnboundBuffer {
 public:
  virtual ~UnboundBuffer() = default;
};
}  // namespace transport

}  // namespace gloo
