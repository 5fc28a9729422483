// What the finite test text adds to points, slopes and differences. All runs read the same windows,
// so each quantity is followed window by window and its error taken over blocks (block_error.h):
// what the text does to all runs alike cancels by itself.
//
// A window's share in ln L of a run is its loss over the run's mean loss (to first order).
#pragma once

#include <optional>
#include <vector>

#include "analysis/size_cells.h"

namespace scalelaw {

// Each cell's windows, seeds averaged, in order; empty where a run's are not there or the cells did
// not all read the same windows.
using WindowSeries = std::vector<double>;
std::vector<WindowSeries> relative_windows(const RunTable& table,
                                           const std::vector<SizeCell>& cells,
                                           const Selection& selection);

// Fills in evaluation_variance: of each cell about a line through its arm. False, changing nothing,
// where windows are not known.
bool set_evaluation_variances(const std::vector<WindowSeries>& windows,
                              std::vector<SizeCell>& cells);

// sum_i coefficient_i series_i; empty when there is no series.
WindowSeries combined(const std::vector<WindowSeries>& windows,
                      const std::vector<double>& coefficients);

struct TextVariance {
  double slope = 0, level = 0, covariance = 0;  // of slope and level
};

// A line's slope (-d ln L / d ln N) and its level at one ln N, window by window.
struct LineSeries {
  WindowSeries slope, level;  // empty: not known
  TextVariance counted;       // from the cells' evaluation_variance, which residuals show anyway
};
LineSeries line_series(const std::vector<WindowSeries>& windows, const std::vector<SizeCell>& cells,
                       double at_ln_n);
LineSeries operator-(LineSeries a, const LineSeries& b);  // of independent runs; empty if one is

// What the text adds to a line (or a difference of lines) beyond the scatter of points about it:
// over blocks, less what is counted; no variance below 0, the covariance within what they allow.
TextVariance text_variance(const LineSeries& series);

// Both runs read the same windows of the same text on this test set.
bool same_windows(const RunRow& one, const RunRow& two, const std::string& test_set);

}  // namespace scalelaw
