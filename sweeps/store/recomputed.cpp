#include "sweeps/store/recomputed.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kOfDoubles = 1e-9;      // of sums of doubles in another order
constexpr double kOfFloats = 0x1.0p-23;  // twice what rounding to F32 may change

std::string differs(const std::string& what, double said, const std::string& from,
                    double computed) {
  return "says " + what + " " + canonical(said) + ", and " + from + " give " + canonical(computed);
}

// NaN is equal to NaN alone.
bool is_near(double a, double b, double tolerance) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) == std::isnan(b);
  return std::abs(a - b) <= tolerance;
}

// Mean over all positions; nullopt where the bins are not all of the window.
std::optional<double> mean_of_bins(const std::vector<PositionBin>& bins, int64_t n_ctx) {
  double sum = 0;
  int64_t next = 0;
  for (const PositionBin& bin : bins) {
    if (bin.first != next || bin.last < bin.first) return std::nullopt;
    sum += static_cast<double>(bin.last - bin.first + 1) * bin.loss_nats;
    next = bin.last + 1;
  }
  if (next == 0 || next != n_ctx) return std::nullopt;
  return sum / static_cast<double>(n_ctx);
}

}  // namespace

std::string fault_of_test(const std::string& set, const TestResult& result, int64_t n_ctx,
                          std::span<const float> windows) {
  const std::string test = "test." + set + ".";
  const double loss = result.loss_nats;
  if (const auto mean = mean_of_bins(result.by_position, n_ctx);
      mean && !is_near(loss, *mean, kOfDoubles * std::abs(loss))) {
    return differs(test + "loss_nats", loss, "its by_position", *mean);
  }
  const double bits = bits_per_byte(result);
  if (!std::isnan(bits) && !is_near(result.bits_per_byte, bits, kOfDoubles * std::abs(bits))) {
    return differs(test + "bits_per_byte", result.bits_per_byte, "its loss, tokens and bytes",
                   bits);
  }
  if (windows.empty()) return "";
  const auto n = static_cast<double>(windows.size());
  double sum = 0, largest = 0, squares = 0;
  for (const double window : windows) {
    sum += window;
    largest = std::max(largest, std::abs(window));
  }
  const double mean = sum / n;
  const std::string from = "window_losses.safetensors";
  if (!is_near(loss, mean, kOfFloats * largest)) {
    return differs(test + "loss_nats", loss, from, mean);
  }
  for (const double window : windows) squares += (window - mean) * (window - mean);
  const double error = windows.size() > 1 ? std::sqrt(squares / (n - 1) / n) : 0;
  if (!is_near(result.standard_error_nats, error, kOfFloats * largest)) {
    return differs(test + "standard_error_nats", result.standard_error_nats, from, error);
  }
  return "";
}

std::string fault_of_lines(const std::vector<MetricsRow>& rows) {
  int64_t before = -1;
  for (const MetricsRow& row : rows) {
    const std::string step = std::to_string(row.step);
    if (row.step <= before) return "has step " + step + " behind step " + std::to_string(before);
    before = row.step;
    for (const auto& number : {row.train_loss_nats, row.learning_rate, row.grad_norm,
                               std::optional<double>(row.wall_seconds)}) {
      if (number && !std::isfinite(*number)) return "has null for a number at step " + step;
    }
  }
  return "";
}

std::string fault_of_final_train_loss(const RunRecord& record,
                                      const std::vector<MetricsRow>& rows) {
  const int64_t begin = record.steps - std::max<int64_t>(1, record.steps / 10);
  int64_t before = 0;
  double sum = 0;
  bool has_begun = begin == 0;
  for (const MetricsRow& row : rows) {
    if (row.step > begin) {
      if (!has_begun || !row.train_loss_nats) return "";
      sum += *row.train_loss_nats * static_cast<double>(row.step - before);
    }
    has_begun = has_begun || row.step == begin;
    before = row.step;
  }
  if (before != record.steps) return "";
  const double mean = sum / static_cast<double>(record.steps - begin);
  if (is_near(record.final_train_loss_nats, mean, kOfDoubles * std::abs(mean))) return "";
  return differs("final_train_loss_nats", record.final_train_loss_nats,
                 "the lines of metrics.jsonl", mean);
}

}  // namespace scalelaw
