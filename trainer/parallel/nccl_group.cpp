#include "trainer/parallel/nccl_group.h"

#include <ATen/ops/zeros.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "trainer/parallel/nccl_api.h"

namespace scalelaw {
namespace {

constexpr std::chrono::seconds kBetweenWords{1};

int nccl_type(at::ScalarType type) {
  switch (type) {
    case at::kByte:
      return nccl::kUint8;
    case at::kLong:
      return nccl::kInt64;
    case at::kFloat:
      return nccl::kFloat32;
    case at::kDouble:
      return nccl::kFloat64;
    default:
      TORCH_CHECK(false, "no NCCL type for ", type);
  }
}

// As a run that was interrupted, or as a fault that the same command meets again.
template <typename Error>
void check(nccl::Result result, const char* what) {
  if (result == nccl::kSuccess || result == nccl::kInProgress) return;
  throw Error(std::string(what) + ": NCCL says " + nccl::api().error_text(result));
}

// Sums a word with the other ranks once a second until a rank is gone or leaves.
class Watch {
 public:
  Watch(std::shared_ptr<RankGroup> ranks, std::function<void()> on_loss)
      : ranks_(std::move(ranks)), on_loss_(std::move(on_loss)), thread_([this] { run(); }) {}
  ~Watch() {
    {
      const std::lock_guard lock(mutex_);
      leaving_ = true;
    }
    leaves_.notify_all();
    thread_.join();
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  bool lost() const { return lost_; }

 private:
  void run() {
    while (all_stay()) {
      std::unique_lock lock(mutex_);
      leaves_.wait_for(lock, kBetweenWords, [this] { return leaving_; });
    }
    lost_ = true;
    on_loss_();
  }
  bool all_stay() {
    const at::Tensor leaving = at::zeros({1}, at::kLong);
    {
      const std::lock_guard lock(mutex_);
      *leaving.mutable_data_ptr<int64_t>() = leaving_ ? 1 : 0;
    }
    try {
      ranks_->sum(leaving);
    } catch (const LostRank&) {
      return false;
    }
    return *leaving.const_data_ptr<int64_t>() == 0;
  }

  std::shared_ptr<RankGroup> ranks_;
  std::function<void()> on_loss_;
  std::mutex mutex_;
  std::condition_variable leaves_;
  bool leaving_ = false;
  std::atomic<bool> lost_{false};
  std::thread thread_;  // last: it uses the others
};

class NcclGroup : public RankGroup {
 public:
  NcclGroup(std::shared_ptr<RankGroup> cpu, const std::shared_ptr<RankGroup>& watch,
            at::Device device)
      : RankGroup(cpu->rank(), cpu->size()),
        cpu_(std::move(cpu)),
        device_(device),
        stream_(c10::impl::VirtualGuardImpl(at::kCUDA).getStreamFromGlobalPool(device, true)) {
    nccl::UniqueId id = {};
    if (rank() == 0) {
      check<std::runtime_error>(nccl::api().get_unique_id(&id), "ncclGetUniqueId");
    }
    const std::string shared = broadcast_text(*cpu_, std::string(id.internal, sizeof id.internal));
    std::memcpy(id.internal, shared.data(), sizeof id.internal);
    // Whoever cannot go on has failed by now, and the others with it: inside NCCL they would wait
    // for ever.
    cpu_->sum(at::zeros({1}, at::kLong));
    check<std::runtime_error>(nccl::api().init_rank(&communicator_, size(), id, rank()),
                              "ncclCommInitRank");
    watch_ = std::make_unique<Watch>(watch, [this] { abort(); });
  }
  ~NcclGroup() override { watch_.reset(); }  // which aborts: what is left is for nobody

  std::unique_ptr<Pending> start_sum(const at::Tensor& tensor) override {
    if (tensor.is_cpu()) return cpu_->start_sum(tensor);
    return start(tensor, "ncclAllReduce", [&](nccl::Communicator* communicator, void* data) {
      return nccl::api().all_reduce(data, data, static_cast<std::size_t>(tensor.numel()),
                                    nccl_type(tensor.scalar_type()), nccl::kSum, communicator,
                                    stream_.native_handle());
    });
  }
  void broadcast(const at::Tensor& tensor) override {
    if (tensor.is_cpu()) return cpu_->broadcast(tensor);
    start(tensor, "ncclBroadcast", [&](nccl::Communicator* communicator, void* data) {
      return nccl::api().broadcast(data, data, static_cast<std::size_t>(tensor.numel()),
                                   nccl_type(tensor.scalar_type()), 0, communicator,
                                   stream_.native_handle());
    })->wait();
  }
  void check_whole() const override {
    if (watch_->lost()) throw LostRank("another process of the group is gone; NCCL was aborted");
  }

 private:
  // The current stream goes on once the operation has ended; the host does not wait.
  class OnStream : public Pending {
   public:
    OnStream(c10::Event done, at::Device device) : done_(std::move(done)), device_(device) {}
    void wait() override { done_.block(c10::impl::VirtualGuardImpl(at::kCUDA).getStream(device_)); }

   private:
    c10::Event done_;
    at::Device device_;
  };

  // On a stream of its own, behind what the current one has been given so far.
  template <typename Operation>
  std::unique_ptr<Pending> start(const at::Tensor& tensor, const char* what,
                                 const Operation& operation) {
    check_whole();
    TORCH_CHECK(tensor.is_contiguous(), what, " of a tensor that is not dense");
    c10::Event written(at::kCUDA), done(at::kCUDA);
    written.record(c10::impl::VirtualGuardImpl(at::kCUDA).getStream(device_));
    written.block(stream_);
    {
      const std::lock_guard lock(communicator_mutex_);
      if (communicator_ == nullptr) throw LostRank("another process of the group is gone");
      check<LostRank>(operation(communicator_, tensor.data_ptr()), what);
    }
    done.record(stream_);
    return std::make_unique<OnStream>(std::move(done), device_);
  }
  void abort() {
    const std::lock_guard lock(communicator_mutex_);
    if (communicator_ != nullptr) nccl::api().abort(communicator_);
    communicator_ = nullptr;
  }

  std::shared_ptr<RankGroup> cpu_;
  at::Device device_;
  c10::Stream stream_;
  std::mutex communicator_mutex_;
  nccl::Communicator* communicator_ = nullptr;
  std::unique_ptr<Watch> watch_;
};

}  // namespace

std::shared_ptr<RankGroup> make_nccl_group(std::shared_ptr<RankGroup> cpu,
                                           const std::shared_ptr<RankGroup>& watch,
                                           at::Device device) {
  return std::make_shared<NcclGroup>(std::move(cpu), watch, device);
}

}  // namespace scalelaw
