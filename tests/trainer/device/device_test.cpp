#include "trainer/device.h"

#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <fstream>

#include "trainer/config_error.h"

namespace scalelaw {
namespace {

GpuProbe one_gpu(const std::string& driver) {
  GpuProbe probe;
  probe.gpus = 1;
  probe.driver_version = driver;
  return probe;
}

// A machine on which opening the GPU ends with `reason` ("": it works) and must be asked for.
GpuAccess machine(const GpuProbe& probe, const std::string& reason) {
  return {probe, [reason] { return reason; }};
}
GpuAccess machine_never_opened(const GpuProbe& probe) {
  return {probe, [] {
            ADD_FAILURE() << "the GPU was touched";
            return std::string();
          }};
}

std::string message_of(std::string_view request, const GpuAccess& access) {
  try {
    choose_device(request, access);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ChooseDevice, AutoIsTheCpuWhereNoGpuIs) {
  EXPECT_TRUE(choose_device("auto", machine_never_opened({})).is_cpu());
}

TEST(ChooseDevice, AutoIsTheGpuThatWorks) {
  EXPECT_TRUE(choose_device("auto", machine(one_gpu("580.65.06"), "")).is_cuda());
  EXPECT_TRUE(choose_device("cuda", machine(one_gpu("580.65.06"), "")).is_cuda());
}

TEST(ChooseDevice, GpuThatCannotBeUsedIsAnErrorWithDriverFoundAndNeeded) {
  const std::string message =
      message_of("auto", machine(one_gpu("535.183.01"), "the driver is too old"));
  for (const char* part : {"the driver is too old", "driver found: 535.183.01",
                           "driver needed: 580 or newer", "--device cpu"}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
  const std::string no_driver = message_of("auto", machine(one_gpu(""), "CUDA finds no device"));
  EXPECT_NE(no_driver.find("driver found: none"), std::string::npos) << no_driver;
}

TEST(ChooseDevice, AllocatedGpuThatCannotBeUsedIsAnErrorToo) {
  GpuProbe probe;
  probe.allocation = "SLURM_JOB_GPUS=3";
  const std::string message = message_of("auto", machine(probe, "CUDA finds no device"));
  EXPECT_NE(message.find("SLURM_JOB_GPUS=3"), std::string::npos) << message;
}

TEST(ChooseDevice, CpuIsGivenWhenAskedForWhateverIsThere) {
  EXPECT_TRUE(choose_device("cpu", machine_never_opened(one_gpu("580.65.06"))).is_cpu());
}

TEST(ChooseDevice, HiddenGpusMeanTheCpuForAutoAndAnErrorForCuda) {
  GpuProbe probe = one_gpu("580.65.06");
  probe.hidden_by = "CUDA_VISIBLE_DEVICES=";
  EXPECT_TRUE(choose_device("auto", machine_never_opened(probe)).is_cpu());
  EXPECT_NE(message_of("cuda", machine_never_opened(probe)).find("unset it"), std::string::npos);
}

TEST(ChooseDevice, CudaWithoutAGpuIsAnError) {
  EXPECT_NE(message_of("cuda", machine_never_opened({})).find("no GPU is here"), std::string::npos);
}

TEST(ChooseDevice, UnknownNameIsAnError) {
  EXPECT_NE(message_of("gpu", machine_never_opened({})).find("must be auto, cpu or cuda"),
            std::string::npos);
}

TEST(FailureText, OfMemoryIsOneLineThatSaysWhatHelps) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer's allocator ends the program itself";
#endif
  try {
    at::ones({int64_t{1} << 50});  // more than an address space
    FAIL() << "allocated";
  } catch (const c10::Error& error) {
    const std::string text = failure_text(error, "lstm of n_layer = 1", "a smaller batch helps");
    EXPECT_TRUE(text.starts_with(
        "memory does not suffice for lstm of n_layer = 1; a smaller batch helps (LibTorch: "))
        << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

TEST(FailureText, OfAnythingElseIsOneLine) {
  try {
    at::ones({2, 3}).add_(at::ones({5}));
    FAIL() << "shapes that do not fit";
  } catch (const c10::Error& error) {
    const std::string text = failure_text(error, "lstm of n_layer = 1", "a smaller batch helps");
    EXPECT_TRUE(text.starts_with("LibTorch failed on lstm of n_layer = 1: The size of tensor"))
        << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

// 240 MB and a tenth of a second that a process on a CPU must not pay.
TEST(ChooseDevice, ProcessOnACpuHasNotLoadedTheCudaHalf) {
  ASSERT_TRUE(choose_device("cpu").is_cpu());
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    EXPECT_EQ(line.find("libtorch_cuda.so"), std::string::npos);
  }
}

// The real access: with a GPU it must give that GPU, without one it must say what is missing.
TEST(ChooseDevice, RealMachineGivesAWorkingDeviceOrSaysWhyNot) {
  const GpuAccess real = this_machine();
  if (real.probe.present() && real.probe.hidden_by.empty()) {
    const at::Device device = choose_device("auto", real);
    EXPECT_EQ(at::ones({2}, device).sum().item<float>(), 2.0F);
    return;
  }
  EXPECT_TRUE(choose_device("auto", real).is_cpu());
  const std::string reason = real.open();
  EXPECT_FALSE(reason.empty());
  EXPECT_EQ(reason.find('\n'), std::string::npos) << reason;
}

}  // namespace
}  // namespace scalelaw
