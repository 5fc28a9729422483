#include "analysis/equal_size.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/block_error.h"
#include "analysis/fitting/distributions.h"

namespace scalelaw {
namespace {

constexpr double kEqualSizes = 0.001;  // in ln N: no slope makes this visible
constexpr double kReach = 0.03;        // in ln N beyond the ends of b

// ln L of b at one N as a mixture of its cells; empty when out of reach.
struct Share {
  std::size_t cell = 0;
  double weight = 0;
};

std::vector<Share> shares_at(double n, const std::vector<SizeCell>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (std::abs(std::log(cells[i].n / n)) <= kEqualSizes) return {{i, 1}};
  }
  for (std::size_t i = 1; i < cells.size(); ++i) {
    const SizeCell &low = cells[i - 1], &high = cells[i];
    const double below = std::log(low.n / n), above = std::log(n / high.n);
    const bool last = i + 1 == cells.size();
    if (low.n == high.n || below > (i == 1 ? kReach : 0) || above > (last ? kReach : 0)) continue;
    const double share = std::log(n / low.n) / std::log(high.n / low.n);
    return {{i - 1, 1 - share}, {i, share}};
  }
  return {};
}

bool share_a_run(const SizeCell& one, const SizeCell& two) {
  return std::any_of(one.content_hash.begin(), one.content_hash.end(), [&](const auto& run) {
    return std::find(two.content_hash.begin(), two.content_hash.end(), run) !=
           two.content_hash.end();
  });
}

}  // namespace

std::vector<EqualSizeDifference> equal_size_differences(const ArmLaws& a, const ArmLaws& b,
                                                        bool paired) {
  std::vector<EqualSizeDifference> out;
  const SeedNoise& seed = a.noise.seed;
  const double seed_variance = seed.sd_ln_loss * seed.sd_ln_loss;
  for (std::size_t i = 0; i < a.cells.size(); ++i) {
    const SizeCell& cell = a.cells[i];
    const std::vector<Share> shares = shares_at(cell.n, b.cells);
    if (shares.empty() || std::any_of(shares.begin(), shares.end(), [&](const Share& s) {
          return share_a_run(cell, b.cells[s.cell]);
        })) {
      continue;
    }
    EqualSizeDifference difference{cell.n, shares.size() > 1, cell.mean_ln_loss};
    VariancePart seeds{seed_variance / cell.seeds(), static_cast<double>(seed.df)};
    VariancePart text{0, kBlockDf};
    std::vector<double> in_b(b.cells.size(), 0.0);
    for (const Share& s : shares) {
      difference.ln_loss_difference -= s.weight * b.cells[s.cell].mean_ln_loss;
      seeds.variance += s.weight * s.weight * seed_variance / b.cells[s.cell].seeds();
      in_b[s.cell] = s.weight;
    }
    if (!a.windows.empty()) {
      const auto variance = variance_of_difference(a.windows[i], combined(b.windows, in_b), paired);
      difference.text_counted = variance.has_value();
      text.variance = variance.value_or(0);
    }
    if (seed.df > 0) {
      difference.standard_error = std::sqrt(seeds.variance + text.variance);
      difference.df = satterthwaite_df(std::array{seeds, text});
    }
    out.push_back(difference);
  }
  return out;
}

std::optional<PairedWindows> paired_windows(const RunTable& table, const ArmLaws& a,
                                            const ArmLaws& b, const Selection& selection) {
  const RunRow& row_a = table.rows[a.cells.back().rows.front()];
  const RunRow& row_b = table.rows[b.cells.back().rows.front()];
  if (row_a.record.content_hash == row_b.record.content_hash ||
      !same_windows(row_a, row_b, selection.test_set)) {
    return std::nullopt;
  }
  std::vector<double> differences;
  double sum = 0;
  for (std::size_t w = 0; w < row_a.window_losses.size(); ++w) {
    differences.push_back(double{row_a.window_losses[w]} - double{row_b.window_losses[w]});
    sum += differences.back();
  }
  const std::optional<double> variance = block_variance_of_mean(differences);
  if (!variance) return std::nullopt;
  return PairedWindows{row_a.folder_name,
                       row_b.folder_name,
                       a.cells.back().n,
                       b.cells.back().n,
                       sum / static_cast<double>(differences.size()),
                       std::sqrt(*variance),
                       static_cast<int64_t>(differences.size())};
}

}  // namespace scalelaw
