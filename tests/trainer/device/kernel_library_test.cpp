#include "trainer/kernel_library.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "models/kernels/device_kernels.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

#define SKIP_WHERE_NOT_BUILT()                                 \
  if (!std::filesystem::exists(kernel_library_file())) {       \
    GTEST_SKIP() << "built without nvcc, so there is no "      \
                 << kernel_library_file().filename().string(); \
  }

TEST(KernelLibrary, LoadsAndHoldsEveryKernel) {
  SKIP_WHERE_NOT_BUILT();
  ASSERT_EQ(load_kernel_library(), "");
  const DeviceKernels kernels = *device_kernels();
  install_device_kernels(nullptr);
  EXPECT_FALSE(kernels.emulated);
  EXPECT_NE(std::string(kernels.error_text(1)), "");
  // From the first function on the table is functions alone.
  const auto* end = reinterpret_cast<void* const*>(&kernels + 1);
  for (auto* entry = reinterpret_cast<void* const*>(&kernels.error_text); entry != end; ++entry) {
    EXPECT_NE(*entry, nullptr) << end - entry << " from the end";
  }
}

TEST(KernelLibrary, WhatCannotBeUsedIsAReasonAndInstallsNothing) {
  const TempDir folder;
  EXPECT_NE(load_kernel_library(folder.path() / "none.so").find("is not there"), std::string::npos);
  std::ofstream(folder.path() / "text.so") << "no library";
  const std::string reason = load_kernel_library(folder.path() / "text.so");
  EXPECT_NE(reason, "");
  EXPECT_EQ(reason.find('\n'), std::string::npos) << reason;
  EXPECT_NE(load_kernel_library("libm.so.6").find("is not there"), std::string::npos);
  EXPECT_EQ(device_kernels(), nullptr);
}

TEST(KernelLibrary, CpuNeedsNone) {
  EXPECT_EQ(missing_kernels(at::kCPU), "");
  EXPECT_EQ(device_kernels(), nullptr);
}

// A fat binary, as nvcc embeds one for each source: a header of 16 bytes, then one entry for each
// chip: its kind, the length of the entry's own header and of the code behind it, the chip, flags.
struct FatBinaryEntry {
  uint16_t kind, version;
  uint32_t header_bytes;
  uint64_t code_bytes;
  uint8_t ignored[12];
  uint32_t chip;
  uint8_t ignored_too[8];
  uint64_t flags;
};
constexpr uint16_t kMachineCode = 2;
constexpr uint64_t kChipSpecific = 0x100000;  // the "a" of sm_90a

template <typename T>
T read_at(const std::string& bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

std::set<std::string> chips_of(const std::string& library, size_t fat_binary) {
  std::set<std::string> chips;
  size_t at = fat_binary + 16;
  const size_t end = at + read_at<uint64_t>(library, fat_binary + 8);
  while (at < end) {
    const auto entry = read_at<FatBinaryEntry>(library, at);
    const std::string suffix = (entry.flags & kChipSpecific) != 0 ? "a" : "";
    if (entry.kind == kMachineCode) chips.insert("sm_" + std::to_string(entry.chip) + suffix);
    at += entry.header_bytes + entry.code_bytes;
  }
  return chips;
}

TEST(KernelLibrary, HoldsMachineCodeForEveryChipItIsWrittenFor) {
  SKIP_WHERE_NOT_BUILT();
  std::ifstream file(kernel_library_file(), std::ios::binary);
  const std::string library{std::istreambuf_iterator<char>(file), {}};
  const std::string magic = "\x50\xed\x55\xba";
  int sources = 0;
  for (size_t at = library.find(magic); at != std::string::npos; at = library.find(magic, at + 1)) {
    ++sources;
    const std::set<std::string> chips = chips_of(library, at);
    EXPECT_TRUE(chips.contains("sm_80") && chips.contains("sm_90a")) << "at byte " << at;
  }
  EXPECT_EQ(sources, 11);  // one a kernel file
}

// It knows nothing of LibTorch, and its process brings the CUDA runtime.
TEST(KernelLibrary, NeedsNoLibTorch) {
  SKIP_WHERE_NOT_BUILT();
  const std::string symbols =
      run_program({"/usr/bin/nm", "-D", "-C", "--undefined-only", kernel_library_file()}).output;
  EXPECT_NE(symbols.find("cudaLaunchKernel"), std::string::npos) << symbols;
  for (const char* foreign : {"at::", "c10::", "torch"}) {
    EXPECT_EQ(symbols.find(foreign), std::string::npos) << symbols;
  }
}

}  // namespace
}  // namespace scalelaw
