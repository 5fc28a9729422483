#include "trainer/heap.h"

#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>  // defines __GLIBC__
#include <exception>
#include <limits>
#include <map>
#include <mutex>
#include <new>
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
  // Null where the system has no more, or no more mappings.
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
    void* block = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return nullptr;
    note_taken(block, size);
    return block;
  }

  // Back to the system. False: none was kept.
  bool drop_all() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool any = !kept_.empty();
    while (!kept_.empty()) drop_oldest();
    return any;
  }

  // False for a block that is none of these.
  bool give_back(void* block) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto taken = taken_.find(block);
    if (taken == taken_.end()) return false;
    const std::size_t size = taken->second;
    in_use_ -= size;
    taken_.erase(taken);
    try {
      keep(block, size);
    } catch (const std::bad_alloc&) {
      unmap(block, size);
    }
    return true;
  }

 private:
  struct Kept {
    void* block;
    uint64_t since;
  };
  using BySize = std::multimap<std::size_t, Kept>;

  // Where the mappings are at their limit a block amid others cannot go, but its pages can.
  static void unmap(void* block, std::size_t size) {
    if (munmap(block, size) != 0) madvise(block, size, MADV_DONTNEED);
  }
  void keep(void* block, std::size_t size) {
    ++clock_;
    const auto kept = kept_.insert({size, {block, clock_}});
    try {
      by_age_[clock_] = kept;
    } catch (const std::bad_alloc&) {
      kept_.erase(kept);
      throw;
    }
    kept_bytes_ += size;
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
    unmap(oldest->second.block, oldest->first);
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

void* mapped(std::size_t bytes) {
  return bytes < kLarge ? nullptr : large_blocks().take(bytes);
}

// LibTorch's own allocator says it best where memory does not suffice.
void* plain(std::size_t bytes) {
  return c10::GetDefaultCPUAllocator()->allocate(bytes).release_context();
}

void* take(std::size_t bytes) {
  if (void* block = mapped(bytes)) return block;
  try {
    return plain(bytes);
  } catch (const std::exception&) {  // LibTorch's, or std::bad_alloc where even its words find none
    if (!large_blocks().drop_all()) throw;
  }
  void* block = mapped(bytes);
  return block != nullptr ? block : plain(bytes);
}

class KeepingAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    void* const block = take(bytes);
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
