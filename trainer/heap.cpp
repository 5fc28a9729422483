#include "trainer/heap.h"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>  // defines __GLIBC__
#include <limits>
#include <map>
#include <mutex>
#include <unordered_map>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace scalelaw {
namespace {

constexpr std::size_t kLarge = 1 << 16;
constexpr std::size_t kGranule = 1 << 12;
constexpr std::size_t kShare = 8;  // of a block that may be unused, of the peak that may be kept
constexpr std::size_t kAlwaysKept = 16 << 20;  // small steps would ask for them anew

std::size_t rounded_up(std::size_t bytes) {
  return (bytes + kGranule - 1) / kGranule * kGranule;
}

// Large blocks straight from the system. glibc's heap would cut them up for smaller ones, so that
// it held up to two and a half times what is in use where blocks are recomputed.
class LargeBlocks {
 public:
  // Null where the system has no more.
  void* take(std::size_t bytes) {
    const std::size_t size = rounded_up(bytes);
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto kept = kept_.lower_bound(size);
    if (kept != kept_.end() && kept->first <= size + size / kShare) {
      void* block = kept->second.block;
      note_taken(block, kept->first);
      forget(kept);
      return block;
    }
    const std::size_t peak = std::max(peak_, in_use_ + size);
    const std::size_t most = peak + std::max(peak / kShare, kAlwaysKept);
    while (!kept_.empty() && in_use_ + kept_bytes_ + size > most) drop_oldest();
    void* block = map(size);
    while (block == MAP_FAILED && !kept_.empty()) {
      drop_oldest();
      block = map(size);
    }
    if (block == MAP_FAILED) return nullptr;
    note_taken(block, size);
    return block;
  }

  // False for a block that is none of these.
  bool give_back(void* block) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto taken = taken_.find(block);
    if (taken == taken_.end()) return false;
    ++clock_;
    by_age_[clock_] = kept_.insert({taken->second, {block, clock_}});
    kept_bytes_ += taken->second;
    in_use_ -= taken->second;
    taken_.erase(taken);
    return true;
  }

 private:
  struct Kept {
    void* block;
    uint64_t since;
  };
  using BySize = std::multimap<std::size_t, Kept>;

  static void* map(std::size_t size) {
    return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  void note_taken(void* block, std::size_t size) {
    taken_[block] = size;
    in_use_ += size;
    peak_ = std::max(peak_, in_use_);
  }
  void forget(BySize::iterator kept) {
    kept_bytes_ -= kept->first;
    by_age_.erase(kept->second.since);
    kept_.erase(kept);
  }
  void drop_oldest() {
    const auto oldest = by_age_.begin()->second;
    munmap(oldest->second.block, oldest->first);
    forget(oldest);
  }

  std::mutex mutex_;
  std::unordered_map<void*, std::size_t> taken_;
  BySize kept_;
  std::map<uint64_t, BySize::iterator> by_age_;  // of kept_
  std::size_t in_use_ = 0, kept_bytes_ = 0, peak_ = 0;
  uint64_t clock_ = 0;
};

// Never destroyed: tensors may be freed after main.
LargeBlocks& large_blocks() {
  static auto* const only = new LargeBlocks;
  return *only;
}

void release(void* block) {
  if (!large_blocks().give_back(block)) c10::GetDefaultCPUAllocator()->raw_deleter()(block);
}

class KeepingAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    void* block = bytes < kLarge ? nullptr : large_blocks().take(bytes);
    // LibTorch's own allocator says it best where memory does not suffice.
    if (block == nullptr) block = c10::GetDefaultCPUAllocator()->allocate(bytes).release_context();
    return {block, block, &release, at::Device(at::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t count) const override {
    default_copy_data(to, from, count);
  }
};

}  // namespace

void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 16 << 20);
#endif
#ifndef __SANITIZE_ADDRESS__
  static KeepingAllocator allocator;
  c10::SetCPUAllocator(&allocator, /*priority=*/1);
#endif
}

}  // namespace scalelaw
