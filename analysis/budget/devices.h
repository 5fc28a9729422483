// What a machine can do at most, as its vendor's data sheet says, and how much of that training
// has been seen to reach.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace scalelaw {

struct TrainingDevice {
  std::string_view name;         // "A100-80GB"
  std::string_view short_names;  // further names, separated by blanks, lower case: "a100 a100-80"
  double peak_flops_per_second;  // dense bf16 products with float32 sums
  double memory_bytes;
  std::string_view source;  // the data sheet; what to know of it
};
std::span<const TrainingDevice> training_devices();
// By any of its names, whatever the case, with or without a plural s; nullptr: none.
const TrainingDevice* training_device(std::string_view name);
std::string device_names();  // "A100-40GB, A100-80GB, ...", for messages

// Share of the peak that a model's own FLOPs come to while it trains ("model FLOPs utilisation"):
// what is assumed, between what published runs had. Time lost to failures is not in it.
struct UtilisationRange {
  double low, middle, high;
  std::string_view source;
};
const UtilisationRange& seen_utilisation();

// Bytes that a parameter takes while it is trained in mixed precision with Adam: bf16 weight and
// gradient, float32 weight and two moments (Rajbhandari et al. 2020, arXiv 1910.02054, 3.1).
// Activations come on top.
inline constexpr double kTrainingBytesPerParameter = 16;

}  // namespace scalelaw
