#include "sweeps/device/throughput.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace scalelaw {
namespace {

// A GPU of which nothing was measured. NOT measured; each is such that a pack comes out rather too
// small than too large: 30 kernels of 2 us a block in a graph, 5 of a time step; a tenth of an
// H100's dense bf16 peak, a quarter of its float32 one; three ways at 2 TB/s of all that a step
// holds; processes side by side gain nothing.
struct AssumedGpu {
  double seconds_a_part = 60e-6, seconds_a_recurrent_part = 10e-6;
  double seconds_a_flop_bf16 = 1 / 100e12, seconds_a_flop_fp32 = 1 / 15e12;
  double seconds_a_byte = 3 / 2e12;
  int64_t most_replicas = 256;
};
constexpr AssumedGpu kAssumedGpu;
constexpr double kAssumedCoreFlops = 30e9;  // a second, as `scalelaw sweep plan` assumes

StepLaw assumed_law(const StepRequest& request) {
  StepLaw law;
  if (request.device == DeviceKind::kCpu) {
    law.seconds_a_flop = 1 / kAssumedCoreFlops;
    return law;
  }
  law.seconds_a_part = is_recurrent(request.shape) ? kAssumedGpu.seconds_a_recurrent_part
                                                   : kAssumedGpu.seconds_a_part;
  law.seconds_a_flop =
      request.bf16_products ? kAssumedGpu.seconds_a_flop_bf16 : kAssumedGpu.seconds_a_flop_fp32;
  law.seconds_a_byte = kAssumedGpu.seconds_a_byte;
  law.taken_by_others = 1;
  return law;
}

StepRequest request_of(const MeasuredStep& row, DeviceKind device) {
  StepRequest request;
  request.shape = row.shape;
  request.batch_windows = row.batch_tokens / row.shape.n_ctx;
  request.replicas = row.packing.replicas;
  request.device = device;
  request.bf16_products = row.precision == Precision::kBFloat16;
  return request;
}

HeldOutError summary(std::vector<double> errors) {
  if (errors.empty()) return {};
  std::sort(errors.begin(), errors.end());
  return {static_cast<int64_t>(errors.size()), errors[errors.size() / 2], errors.back()};
}

}  // namespace

Throughput::Throughput(const DeviceFile& file) : kind_(file.kind), is_measured_(true) {
  std::map<LawKey, std::vector<StepSample>> samples;
  for (const MeasuredStep& row : file.rows) {
    most_replicas_ = std::max(most_replicas_, row.packing.replicas);
    most_processes_ = std::max(most_processes_, row.packing.processes);
    const auto terms = terms_of(request_of(row, kind_));
    if (!terms) continue;
    samples[{row.shape.arch, row.precision}].push_back(
        {row.shape, *terms, row.packing.processes, row.step_seconds});
  }
  std::vector<double> errors;
  for (const auto& [key, rows] : samples) {
    if (rows.size() < kLeastSamples) continue;
    laws_[key] = fit_law(rows, kind_);
    const std::vector<double> of_law = held_out_errors(rows, kind_);
    errors.insert(errors.end(), of_law.begin(), of_law.end());
  }
  error_ = summary(std::move(errors));
  start_seconds_ = file.start_seconds;
  source_ = file.device + ", measured " + file.date + " (" + file.file + ")";
}

Throughput Throughput::unmeasured(DeviceKind device) {
  Throughput result;
  result.kind_ = device;
  const bool is_cpu = device == DeviceKind::kCpu;
  result.most_replicas_ = is_cpu ? 1 : kAssumedGpu.most_replicas;
  result.most_processes_ = is_cpu ? std::numeric_limits<int>::max() : 1;
  result.source_ = is_cpu ? "30 GFLOP/s a core, stated" : "a GPU's rates as assumed, not measured";
  return result;
}

Throughput Throughput::with_most_replicas(int64_t replicas) const {
  Throughput result = *this;
  result.most_replicas_ = replicas;
  return result;
}

std::optional<StepLaw> Throughput::law_for(const StepRequest& request) const {
  if (!is_measured_) return assumed_law(request);
  const Precision precision = request.bf16_products ? Precision::kBFloat16 : Precision::kFloat32;
  const auto found = laws_.find({request.shape.arch, precision});
  if (found == laws_.end()) return std::nullopt;
  return found->second;
}

std::optional<double> Throughput::step_seconds(const StepRequest& request, int processes) const {
  StepRequest here = request;
  here.device = kind_;
  const std::optional<StepLaw> law = law_for(here);
  const std::optional<StepTerms> terms = terms_of(here);
  if (!law || !terms) return std::nullopt;
  return seconds_by(*law, *terms, processes);
}

}  // namespace scalelaw
