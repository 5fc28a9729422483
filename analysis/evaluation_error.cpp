#include "analysis/evaluation_error.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "analysis/block_error.h"

namespace scalelaw {

bool same_windows(const RunRow& one, const RunRow& two, const std::string& test_set) {
  const TestResult& a = one.record.test.at(test_set);
  const TestResult& b = two.record.test.at(test_set);
  return a.token_hash == b.token_hash && a.tokens == b.tokens &&
         one.record.shape.n_ctx == two.record.shape.n_ctx && !one.window_losses.empty() &&
         one.window_losses.size() == two.window_losses.size();
}

std::vector<WindowSeries> relative_windows(const RunTable& table,
                                           const std::vector<SizeCell>& cells,
                                           const Selection& selection) {
  std::vector<WindowSeries> all;
  for (const SizeCell& cell : cells) {
    const RunRow& first = table.rows[cells.front().rows.front()];
    WindowSeries series(first.window_losses.size(), 0.0);
    for (const std::size_t i : cell.rows) {
      const RunRow& row = table.rows[i];
      if (!same_windows(first, row, selection.test_set)) return {};
      double mean = 0;
      for (const float loss : row.window_losses) mean += double{loss};
      if (!(mean > 0)) return {};
      mean /= static_cast<double>(series.size());
      for (std::size_t w = 0; w < series.size(); ++w) {
        series[w] += double{row.window_losses[w]} / mean / cell.seeds();
      }
    }
    if (series.size() < kFewestWindowsForBlocks) return {};
    all.push_back(std::move(series));
  }
  return all;
}

WindowSeries combined(const std::vector<WindowSeries>& windows,
                      const std::vector<double>& coefficients) {
  if (windows.empty()) return {};
  WindowSeries sum(windows.front().size(), 0.0);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    for (std::size_t w = 0; w < sum.size(); ++w) sum[w] += coefficients[i] * windows[i][w];
  }
  return sum;
}

bool set_evaluation_variances(const std::vector<WindowSeries>& windows,
                              std::vector<SizeCell>& cells) {
  const std::size_t sizes = cells.size();
  if (windows.empty() || sizes < kFewestSizesForPowerLaw) return false;
  std::vector<LinePoint> points;
  for (const SizeCell& c : cells) points.push_back({std::log(c.n), 0, 1});
  const WeightedLine line = fit_line(points);
  for (std::size_t i = 0; i < sizes; ++i) {
    // The cell minus the line through all: row i of (I - H).
    std::vector<double> coefficients;
    for (const LinePoint& p : points) {
      coefficients.push_back(-1 / line.sum_weight -
                             (points[i].x - line.centre_x) * (p.x - line.centre_x) / line.sum_xx);
    }
    coefficients[i] += 1;
    const double left =
        coefficients[i];  // 1 - leverage: the residual's share of the cell's variance
    const auto variance = block_variance_of_mean(combined(windows, coefficients));
    cells[i].evaluation_variance = left > 1e-9 ? *variance / left : 0;
  }
  return true;
}

LineSeries line_series(const std::vector<WindowSeries>& windows, const std::vector<SizeCell>& cells,
                       double at_ln_n) {
  LineSeries out;
  if (windows.empty()) return out;
  const std::vector<LinePoint> points = line_points(cells);
  const WeightedLine line = fit_line(points);
  std::vector<double> slope = slope_coefficients(points), level;
  for (std::size_t i = 0; i < points.size(); ++i) {
    level.push_back(points[i].weight / line.sum_weight + slope[i] * (at_ln_n - line.centre_x));
    slope[i] = -slope[i];
    const double variance = cells[i].evaluation_variance;
    out.counted.slope += slope[i] * slope[i] * variance;
    out.counted.level += level[i] * level[i] * variance;
    out.counted.covariance += slope[i] * level[i] * variance;
  }
  out.slope = combined(windows, slope);
  out.level = combined(windows, level);
  return out;
}

LineSeries operator-(LineSeries a, const LineSeries& b) {
  if (a.slope.empty() || a.slope.size() != b.slope.size()) return {};
  for (std::size_t w = 0; w < a.slope.size(); ++w) {
    a.slope[w] -= b.slope[w];
    a.level[w] -= b.level[w];
  }
  a.counted.slope += b.counted.slope;
  a.counted.level += b.counted.level;
  a.counted.covariance += b.counted.covariance;
  return a;
}

TextVariance text_variance(const LineSeries& series) {
  const auto slope = block_variance_of_mean(series.slope);
  if (!slope) return {};
  const TextVariance& counted = series.counted;
  TextVariance out;
  out.slope = std::max(*slope - counted.slope, 0.0);
  out.level = std::max(*block_variance_of_mean(series.level) - counted.level, 0.0);
  const double most = std::sqrt(out.slope * out.level);
  out.covariance = std::clamp(
      *block_covariance_of_means(series.slope, series.level) - counted.covariance, -most, most);
  return out;
}

std::optional<TextVariance> text_variance_of_difference(const LineSeries& a, const LineSeries& b,
                                                        bool paired) {
  if (a.slope.empty() || b.slope.empty()) return std::nullopt;
  if (paired) return text_variance(a - b);
  const TextVariance one = text_variance(a), two = text_variance(b);
  return TextVariance{one.slope + two.slope, one.level + two.level,
                      one.covariance + two.covariance};
}

std::optional<double> variance_of_difference(const WindowSeries& a, const WindowSeries& b,
                                             bool paired) {
  if (a.empty() || b.empty()) return std::nullopt;
  if (!paired) return *block_variance_of_mean(a) + *block_variance_of_mean(b);
  assert(a.size() == b.size());
  WindowSeries difference = a;
  for (std::size_t w = 0; w < difference.size(); ++w) difference[w] -= b[w];
  return block_variance_of_mean(difference);
}

}  // namespace scalelaw
