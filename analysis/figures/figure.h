// One description of a figure, apart from what renders it: gnuplot (figures/gnuplot.h) for files,
// and Plotly in the page (figures/figure_json.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace scalelaw {

enum class AxisScale { kLinear, kLog };

struct Axis {
  std::string label;  // with its unit
  AxisScale scale = AxisScale::kLinear;
  double low = 0, high = 1;    // both > 0 on a log axis
  bool human_numbers = false;  // 10k, 1M
};

enum class Mark {
  kLine,
  kPoints,
  kHollowPoints,
  kErrorBars,  // points with a bar from low to high
  kBand,       // filled between low and high
};

struct Series {
  std::string label;  // in the legend; "" keeps it out
  Mark mark = Mark::kLine;
  int colour = 0;  // of the arms (figures/palette.h); kInk for the text's colour
  // On the figure's colour scale; then `colour` is not used.
  std::optional<double> scale_value;
  std::vector<double> x, y;
  std::vector<double> low, high;  // kErrorBars and kBand
  // What a reader who points at it is told beside the numbers: one for all of it, or one a point.
  std::vector<std::string> names;
};
inline constexpr int kInk = -1;

enum class LegendPlace { kTopRight, kBottomLeft, kTopLeft };

struct Panel {
  std::string title;
  Axis x, y;
  std::vector<Series> series;
  double height_share = 1;  // relative to the other rows
  bool legend = true;
  LegendPlace legend_place = LegendPlace::kTopRight;
};

// Colours for a number, as N of a run. Logarithmic.
struct ColourScale {
  std::string label;
  double low = 1, high = 10;
  bool human_numbers = true;  // 10k, 1M; else powers of ten
};

struct Figure {
  std::string id;  // file name without extension: letters, digits and '_' only
  std::string title;
  std::string caption;  // in plain words
  std::vector<Panel> panels;
  int columns = 1;  // panels fill rows from the left
  std::optional<ColourScale> colours;
  int width_px = 900, height_px = 480;
};

// Round values for a log axis that spans less than about two decades, at most about eight.
std::vector<double> log_ticks(double low, double high);

}  // namespace scalelaw
