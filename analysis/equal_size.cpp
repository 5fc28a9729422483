#include "analysis/equal_size.h"

#include <cmath>
#include <cstring>

#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

constexpr double kEqualSizes = 0.001;  // in ln N: no slope makes this visible
constexpr double kReach = 0.03;        // in ln N beyond the ends of b

// Losses of every window of the run's final evaluation; empty when they cannot be read.
std::vector<float> window_losses(const RunRow& row, const std::string& test_set) {
  try {
    const SafetensorsFile file(row.folder.window_losses());
    const SafetensorView& view = file.at(test_set);
    if (view.dtype != "F32") return {};
    std::vector<float> losses(view.bytes.size() / sizeof(float));
    std::memcpy(losses.data(), view.bytes.data(), losses.size() * sizeof(float));
    return losses;
  } catch (const std::runtime_error&) {
    return {};  // the comparison stands without them
  }
}

}  // namespace

std::vector<EqualSizeDifference> equal_size_differences(const ArmLaws& a, const ArmLaws& b,
                                                        const SeedNoise& noise) {
  std::vector<EqualSizeDifference> out;
  const double variance = noise.sd_ln_loss * noise.sd_ln_loss;
  for (const SizeCell& cell : a.cells) {
    EqualSizeDifference difference;
    difference.n = cell.n;
    const auto add = [&](double ln_loss_b, double variance_b) {
      difference.ln_loss_difference = cell.mean_ln_loss - ln_loss_b;
      if (noise.df > 0) {
        difference.standard_error = std::sqrt(variance / cell.seeds() + variance_b);
      }
      out.push_back(difference);
    };
    bool matched = false;
    for (const SizeCell& other : b.cells) {
      if (matched || std::abs(std::log(other.n / cell.n)) > kEqualSizes) continue;
      matched = true;
      add(other.mean_ln_loss, variance / other.seeds());
    }
    for (std::size_t i = 1; i < b.cells.size() && !matched; ++i) {
      const SizeCell &low = b.cells[i - 1], &high = b.cells[i];
      const double below = std::log(low.n / cell.n), above = std::log(cell.n / high.n);
      const bool last = i + 1 == b.cells.size();
      if (low.n == high.n || below > (i == 1 ? kReach : 0) || above > (last ? kReach : 0)) continue;
      matched = true;
      difference.interpolated = true;
      const double share = std::log(cell.n / low.n) / std::log(high.n / low.n);
      add((1 - share) * low.mean_ln_loss + share * high.mean_ln_loss,
          variance * ((1 - share) * (1 - share) / low.seeds() + share * share / high.seeds()));
    }
  }
  return out;
}

std::optional<PairedWindows> paired_windows(const RunTable& table, const ArmLaws& a,
                                            const ArmLaws& b, const Selection& selection) {
  const RunRow& row_a = table.rows[a.cells.back().rows.front()];
  const RunRow& row_b = table.rows[b.cells.back().rows.front()];
  const TestResult& test_a = row_a.record.test.at(selection.test_set);
  const TestResult& test_b = row_b.record.test.at(selection.test_set);
  if (row_a.record.content_hash == row_b.record.content_hash ||
      test_a.token_hash != test_b.token_hash || test_a.tokens != test_b.tokens ||
      row_a.record.shape.n_ctx != row_b.record.shape.n_ctx) {
    return std::nullopt;
  }
  const std::vector<float> losses_a = window_losses(row_a, selection.test_set);
  const std::vector<float> losses_b = window_losses(row_b, selection.test_set);
  if (losses_a.size() != losses_b.size() || losses_a.size() < 2) return std::nullopt;
  PairedWindows out{row_a.folder_name,
                    row_b.folder_name,
                    a.cells.back().n,
                    b.cells.back().n,
                    0,
                    0,
                    static_cast<int64_t>(losses_a.size())};
  const double windows = static_cast<double>(losses_a.size());
  double sum_of_squares = 0;
  for (std::size_t i = 0; i < losses_a.size(); ++i) {
    out.loss_difference_nats += (double{losses_a[i]} - double{losses_b[i]}) / windows;
  }
  for (std::size_t i = 0; i < losses_a.size(); ++i) {
    const double d = double{losses_a[i]} - double{losses_b[i]} - out.loss_difference_nats;
    sum_of_squares += d * d;
  }
  out.standard_error_nats = std::sqrt(sum_of_squares / (windows - 1) / windows);
  return out;
}

}  // namespace scalelaw
