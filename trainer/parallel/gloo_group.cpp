#include "trainer/parallel/gloo_group.h"

#include <c10/util/Exception.h>

#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace scalelaw {
namespace {

// Gloo's own words begin with the place in its sources.
[[noreturn]] void throw_lost(const std::exception& error) {
  std::string said = error.what();
  said = said.substr(0, said.find('\n'));
  if (const auto end = said.find("] "); said.starts_with("[") && end != std::string::npos) {
    said.erase(0, end + 2);
  }
  throw LostRank("another process of the group is gone or does not answer (" + said + ")");
}

template <typename Operation>
auto or_lost(const Operation& operation) {
  try {
    return operation();
  } catch (const c10::Error& error) {
    throw_lost(error);
  } catch (const std::runtime_error& error) {
    throw_lost(error);
  }
}

class GlooPending : public RankGroup::Pending {
 public:
  explicit GlooPending(c10::intrusive_ptr<c10d::Work> work) : work_(std::move(work)) {}
  void wait() override {
    or_lost([&] { work_->wait(); });
  }

 private:
  c10::intrusive_ptr<c10d::Work> work_;
};

class GlooGroup : public RankGroup {
 public:
  GlooGroup(int rank, int size, c10::intrusive_ptr<c10d::ProcessGroupGloo> processes)
      : RankGroup(rank, size), processes_(std::move(processes)) {}

  std::unique_ptr<Pending> start_sum(const at::Tensor& tensor) override {
    std::vector<at::Tensor> tensors = {tensor};
    return std::make_unique<GlooPending>(or_lost([&] { return processes_->allreduce(tensors); }));
  }
  void broadcast(const at::Tensor& tensor) override {
    std::vector<at::Tensor> tensors = {tensor};
    or_lost([&] { processes_->broadcast(tensors)->wait(); });
  }

 private:
  c10::intrusive_ptr<c10d::ProcessGroupGloo> processes_;
};

std::shared_ptr<gloo::transport::Device> device_for(const GlooOptions& options) {
  using c10d::ProcessGroupGloo;
  if (!options.interface.empty()) {
    return ProcessGroupGloo::createDeviceForInterface(options.interface);
  }
  if (options.local) return ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  return ProcessGroupGloo::createDefaultDevice();
}

}  // namespace

std::shared_ptr<RankGroup> make_gloo_group(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                           int size, const GlooOptions& options) {
  return or_lost([&]() -> std::shared_ptr<RankGroup> {
    auto gloo = c10d::ProcessGroupGloo::Options::create(
        std::chrono::milliseconds(static_cast<int64_t>(1000 * options.seconds_to_answer)));
    gloo->devices.push_back(device_for(options));
    return std::make_shared<GlooGroup>(
        rank, size, c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, gloo));
  });
}

}  // namespace scalelaw
