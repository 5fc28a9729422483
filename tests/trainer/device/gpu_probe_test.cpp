#include "trainer/gpu_probe.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"
#include "trainer/device_request.h"

namespace scalelaw {
namespace {

// A machine made of files in a temporary folder and a map for its environment.
class GpuProbeTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(root_ / "dev"); }

  void put(const std::string& file, const std::string& text = "") {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  GpuProbe probe() const {
    return probe_gpus(root_, [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::nullopt : std::optional(found->second);
    });
  }

  TempDir temp_;
  std::filesystem::path root_ = temp_.path();
  std::map<std::string, std::string> environment_;
};

TEST_F(GpuProbeTest, BareMachineHasNone) {
  const GpuProbe found = probe();
  EXPECT_EQ(found.gpus, 0);
  EXPECT_FALSE(found.present());
  EXPECT_EQ(found.driver_version, "");
  EXPECT_FALSE(found.driver_is_new_enough());
}

TEST_F(GpuProbeTest, CountsDevicesAndNotTheirControlFiles) {
  for (const char* file : {"dev/nvidia0", "dev/nvidia1", "dev/nvidia10", "dev/nvidiactl",
                           "dev/nvidia-uvm", "dev/nvidia-modeset"}) {
    put(file);
  }
  EXPECT_EQ(probe().gpus, 3);
  EXPECT_TRUE(probe().present());
}

TEST_F(GpuProbeTest, AModelIsThatOfTheOneGpuThatAProcessSees) {
  const auto model = [this](const std::string& visible) {
    return gpu_model(visible, root_, [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::nullopt : std::optional(found->second);
    });
  };
  EXPECT_EQ(model(""), "") << "no driver";
  const auto add = [this](const std::string& bus, const std::string& name, const char* uuid) {
    put("proc/driver/nvidia/gpus/" + bus + "/information",
        "Model: \t\t " + name + "\nIRQ:   \t\t 18\nGPU UUID: \t " + uuid + "\nBus Type: \t PCIe\n");
  };
  add("0000:3b:00.0", "NVIDIA H100 80GB HBM3", "GPU-5e8d0001-aa");
  add("0000:5e:00.0", "NVIDIA H100 80GB HBM3", "GPU-77aa0002-bb");
  for (const char* visible : {"", "0", "1", "GPU-5e8d"}) {
    EXPECT_EQ(model(visible), "NVIDIA H100 80GB HBM3") << visible;
  }
  EXPECT_EQ(model("MIG-77aa0002"), "") << "a part of one";
  for (const char* slice : {"MIG-77aa0002", "GPU-5e8d0001-aa,MIG-77aa0002", "0:1", "1,0:1"}) {
    environment_["NVIDIA_VISIBLE_DEVICES"] = slice;
    EXPECT_EQ(model(""), "") << slice;
  }
  for (const char* whole : {"", "all", "0,1", "GPU-5e8d0001-aa"}) {
    environment_["NVIDIA_VISIBLE_DEVICES"] = whole;
    EXPECT_EQ(model(""), "NVIDIA H100 80GB HBM3") << whole;
  }
  add("0000:86:00.0", "Tesla T4", "GPU-99cc0003-cc");
  EXPECT_EQ(model("0"), "") << "CUDA's order is not the driver's";
  EXPECT_EQ(model("GPU-99cc"), "Tesla T4");
  EXPECT_EQ(model("GPU-0000"), "");
  environment_["CUDA_VISIBLE_DEVICES"] = "GPU-99cc0003-cc";
  EXPECT_EQ(model(""), "Tesla T4");
  put("proc/driver/nvidia/gpus/0000:86:00.0/information", "Model:");
  EXPECT_EQ(model(""), "");
}

TEST_F(GpuProbeTest, ReadsTheDriverVersionOfBothKernelModules) {
  put("proc/driver/nvidia/version",
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\n"
      "GCC version:  gcc version 12.3.0\n");
  EXPECT_EQ(probe().driver_version, "535.183.01");
  EXPECT_FALSE(probe().driver_is_new_enough());
  put("proc/driver/nvidia/version",
      "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.82.07  Release Build\n");
  EXPECT_EQ(probe().driver_version, "580.82.07");
  EXPECT_TRUE(probe().driver_is_new_enough());
  put("sys/module/nvidia/version", "590.44\n");
  EXPECT_EQ(probe().driver_version, "590.44");
}

TEST_F(GpuProbeTest, AllocationCountsAsPresentEvenWithoutDeviceFiles) {
  environment_["SLURM_JOB_GPUS"] = "2,3";
  EXPECT_TRUE(probe().present());
  EXPECT_EQ(probe().allocation, "SLURM_JOB_GPUS=2,3");
}

TEST_F(GpuProbeTest, EmptyOrNegativeVisibleDevicesHideEveryGpu) {
  put("dev/nvidia0");
  environment_["SLURM_JOB_GPUS"] = "0";
  for (const char* value : {"", "-1"}) {
    environment_["CUDA_VISIBLE_DEVICES"] = value;
    EXPECT_EQ(probe().hidden_by, std::string("CUDA_VISIBLE_DEVICES=") + value);
  }
  environment_["CUDA_VISIBLE_DEVICES"] = "0";
  EXPECT_EQ(probe().hidden_by, "");
}

TEST_F(GpuProbeTest, GpusOfAJobThatItsStepDoesNotGetAreNoWordForTheCpu) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"SLURM_JOB_GPUS", "0"}, {"SLURM_STEP_GPUS", "1"}, {"SLURM_GPUS_ON_NODE", "4"}}) {
    environment_.clear();
    environment_[name] = value;
    for (const char* visible : {"NoDevFiles", ""}) {
      environment_["CUDA_VISIBLE_DEVICES"] = visible;
      EXPECT_TRUE(probe().hidden_though_allotted()) << name;
      try {
        gpu_is_asked_for("auto", probe());
        FAIL() << name;
      } catch (const ConfigError& error) {
        const std::string what = error.what();
        EXPECT_NE(what.find(name + "=" + value), std::string::npos) << what;
        EXPECT_NE(what.find(std::string("CUDA_VISIBLE_DEVICES=") + visible), std::string::npos);
        EXPECT_NE(what.find("--device cpu"), std::string::npos) << what;
      }
      EXPECT_FALSE(gpu_is_asked_for("cpu", probe()));
    }
    environment_["CUDA_VISIBLE_DEVICES"] = "-1";
    EXPECT_FALSE(gpu_is_asked_for("auto", probe())) << "a person's own word";
  }
  environment_ = {{"SLURM_GPUS_ON_NODE", "0"}, {"CUDA_VISIBLE_DEVICES", "NoDevFiles"}};
  EXPECT_FALSE(gpu_is_asked_for("auto", probe())) << "a job without GPUs";
}

std::vector<std::string> single(int gpus, const std::optional<std::string>& visible) {
  GpuProbe probe;
  probe.gpus = gpus;
  return single_gpus(probe, [&](const std::string& name) {
    return name == "CUDA_VISIBLE_DEVICES" ? visible : std::nullopt;
  });
}

TEST(SingleGpus, AreThoseOfTheEnvironmentElseAllOfThem) {
  using Gpus = std::vector<std::string>;
  EXPECT_EQ(single(3, std::nullopt), (Gpus{"0", "1", "2"}));
  EXPECT_EQ(single(8, "6,2"), (Gpus{"6", "2"}));
  EXPECT_EQ(single(8, "GPU-1f,MIG-2e"), (Gpus{"GPU-1f", "MIG-2e"}));
  EXPECT_EQ(single(8, "1,2,-1,3"), (Gpus{"1", "2"})) << "CUDA stops there";
  for (const auto& [gpus, visible] : std::vector<std::pair<int, std::optional<std::string>>>{
           {1, std::nullopt}, {0, std::nullopt}, {8, "5"}}) {
    EXPECT_EQ(single(gpus, visible), Gpus{""}) << "as it is";
  }
}

}  // namespace
}  // namespace scalelaw
