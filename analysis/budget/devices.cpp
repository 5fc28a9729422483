#include "analysis/budget/devices.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace scalelaw {
namespace {

constexpr std::array kDevices = {
    TrainingDevice{"V100-16GB", "v100-16", 125e12, 16e9,
                   "NVIDIA V100 data sheet, SXM2; fp16, it has no bf16"},
    TrainingDevice{"V100-32GB", "v100 v100-32 v100-sxm2", 125e12, 32e9,
                   "NVIDIA V100 data sheet, SXM2; fp16, it has no bf16"},
    TrainingDevice{"A10", "", 125e12, 24e9, "NVIDIA A10 data sheet"},
    TrainingDevice{"A100-40GB", "a100-40", 312e12, 40e9, "NVIDIA A100 data sheet"},
    TrainingDevice{"A100-80GB", "a100 a100-80 a100-sxm a100-sxm4 a100-pcie", 312e12, 80e9,
                   "NVIDIA A100 data sheet"},
    TrainingDevice{"L40S", "", 362e12, 48e9, "NVIDIA L40S data sheet"},
    TrainingDevice{"H100-PCIe", "h100-pci", 756e12, 80e9,
                   "NVIDIA H100 data sheet, half of the figure with sparsity"},
    TrainingDevice{"H100-SXM", "h100 h100-80gb h100-sxm5", 989e12, 80e9,
                   "NVIDIA H100 data sheet, half of the figure with sparsity"},
    TrainingDevice{"H200", "h200-sxm h200-141gb", 989e12, 141e9,
                   "NVIDIA H200 data sheet, half of the figure with sparsity"},
    TrainingDevice{"B200", "", 2250e12, 180e9,
                   "NVIDIA HGX B200 data sheet, an eighth of the board's, half of the figure with "
                   "sparsity"},
    TrainingDevice{"MI250X", "", 383e12, 128e9, "AMD Instinct MI250X data sheet"},
    TrainingDevice{"MI300X", "", 1307e12, 192e9, "AMD Instinct MI300X data sheet"},
    TrainingDevice{"TPUv4", "tpu-v4 v4", 275e12, 32e9, "Google Cloud TPU v4 documentation"},
    TrainingDevice{"TPUv5e", "tpu-v5e v5e", 197e12, 16e9, "Google Cloud TPU v5e documentation"},
    TrainingDevice{"TPUv5p", "tpu-v5p v5p", 459e12, 95e9, "Google Cloud TPU v5p documentation"},
};

constexpr UtilisationRange kSeen = {
    0.3, 0.4, 0.5,
    "GPT-3 .21, Megatron-Turing 530B .30, Gopher .33, PaLM 540B .46 (Chowdhery et al. 2022, arXiv "
    "2204.02311, table 3); Llama 3 405B .38 to .43 (arXiv 2407.21783, 3.3); a GPT of 530B .54 "
    "(Korthikanti et al. 2022, arXiv 2205.05198)"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool has_name(const TrainingDevice& device, const std::string& name) {
  if (lower(device.name) == name) return true;
  const std::string all = " " + std::string(device.short_names) + " ";
  return name.find(' ') == std::string::npos && all.find(" " + name + " ") != std::string::npos;
}

}  // namespace

std::span<const TrainingDevice> training_devices() {
  return kDevices;
}

const TrainingDevice* training_device(std::string_view text) {
  std::string name = lower(text);
  if (name.starts_with("nvidia-")) name.erase(0, 7);
  if (name.empty()) return nullptr;
  std::string singular = name;
  if (singular.back() == 's') singular.pop_back();
  for (const std::string& tried : {name, singular}) {
    if (tried.empty()) continue;
    for (const TrainingDevice& device : kDevices) {
      if (has_name(device, tried)) return &device;
    }
  }
  return nullptr;
}

std::string device_names() {
  std::string list;
  for (const TrainingDevice& device : kDevices) {
    list += (list.empty() ? "" : ", ") + std::string(device.name);
  }
  return list;
}

const UtilisationRange& seen_utilisation() {
  return kSeen;
}

}  // namespace scalelaw
