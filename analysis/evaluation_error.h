// What the finite test text adds to points, slopes and differences. Runs that read the same windows
// are followed window by window and the error is taken over blocks (block_error.h): what the text
// does to all runs alike cancels by itself. Arms that cut the text into other windows (n_ctx) are
// not paired: the parts of both are added, too much where the text does the same to both.
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

// Variances of the difference of two arms, `paired` where both read the same windows; nullopt where
// either's windows are not known. Of lines, beyond the scatter of points; of means of series.
std::optional<TextVariance> text_variance_of_difference(const LineSeries& a, const LineSeries& b,
                                                        bool paired);
std::optional<double> variance_of_difference(const WindowSeries& a, const WindowSeries& b,
                                             bool paired);

// Both runs read the same windows of the same text on this test set.
bool same_windows(const RunRow& one, const RunRow& two, const std::string& test_set);

}  // namespace scalelaw
