#include <algorithm>
#include <cmath>
#include <sstream>

#include "analysis/figures/gnuplot.h"
#include "analysis/figures/palette.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// Margins in pixels, so that labels fit whatever the figure's size.
constexpr double kLeftPx = 78, kRightPx = 16, kTopPx = 40, kBottomPx = 62, kColumnGapPx = 62;
// Panels of one column share their x axis' labels; a lower row with titles needs room for them.
constexpr double kRowGapPx = 26, kTitledRowGapPx = 50;
constexpr double kColourBarPx = 96;  // with its numbers and label, where there is one

// Below `dense_below` between its ends a log axis gets ticks at 1, 2, 5 or rounder, else at powers
// of ten.
void write_ticks(std::ostream& out, const char* axis, const Axis& a, bool labels,
                 double dense_below) {
  if (!labels) {
    out << "set format " << axis << " ''\n";
  } else if (a.human_numbers) {
    out << "set format " << axis << " '%.0s%c'\n";
  } else {
    out << "set format " << axis << " '%g'\n";
  }
  if (a.scale == AxisScale::kLog) {
    out << "set logscale " << axis << "\n";
  } else {
    out << "unset logscale " << axis << "\n";
  }
  if (a.scale == AxisScale::kLog && a.high / a.low < dense_below) {
    out << "set " << axis << "tics (";
    const char* comma = "";
    for (const double tick : log_ticks(a.low, a.high)) {
      out << comma << "'" << (labels ? human(tick) : "") << "' " << tick;
      comma = ", ";
    }
    out << ")\n";
  } else {
    out << "set " << axis << "tics autofreq\n";
  }
  out << "set " << axis << "range [" << a.low << ":" << a.high << "]\n";
}

std::string colour(const Series& series) {
  return series.colour == kInk ? "rgb 'black'" : "rgb '" + arm_colour(series.colour) + "'";
}

std::string style(const Series& series) {
  const int symbols[] = {7, 5, 9, 13, 11, 15};  // filled; differ where colour does not show
  const int symbol =
      series.scale_value ? 7 : symbols[static_cast<std::size_t>(std::max(series.colour, 0)) % 6];
  const std::string mark = " pt " + std::to_string(symbol) + " ps 0.6";
  switch (series.mark) {
    case Mark::kLine:
      return "using 1:2 with lines lw 1.6 lc ";
    case Mark::kPoints:
      return "using 1:2 with points" + mark + " lc ";
    case Mark::kHollowPoints:
      return "using 1:2 with points pt 6 ps 0.7 lw 1.4 lc ";
    case Mark::kErrorBars:  // the bars alone; plot_element adds the points
      return "using 1:3:(0):($4-$3) with vectors nohead dt 1 lw 1.1 lc ";
    case Mark::kBand:
      return "using 1:3:4 with filledcurves fs transparent solid 0.22 noborder lc ";
  }
  return "";
}

// Of series `first` to `last` of the data, which look alike. A series with a colour of the scale
// carries its value as the last column. Points of error bars are an element of their own: gnuplot's
// error bars ring them with white.
std::string plot_element(const Figure& figure, std::size_t first, std::size_t last,
                         const Series& series) {
  const std::string data = "'" + figure.id + ".dat' index " + std::to_string(first) +
                           (last > first ? ":" + std::to_string(last) : "") + " ";
  const std::string title =
      series.label.empty() ? " notitle" : " title " + gnuplot_quoted(series.label);
  const bool bars = series.mark == Mark::kErrorBars;
  if (series.scale_value) {
    if (series.mark == Mark::kHollowPoints) {
      return data + "using 1:2:5 with points pt 6 ps 0.7 lw 1.4 lc palette" + title;
    }
    if (series.mark == Mark::kPoints) {
      return data + "using 1:2:5 with points pt 7 ps 0.7 lc palette" + title;
    }
    if (!bars) return data + "using 1:2:5 with lines lw 1.6 lc palette" + title;
    return data +
           "using 1:3:(0):($4-$3):5 with vectors nohead dt 1 lw 1.1 lc palette notitle, \\\n     " +
           data + "using 1:2:5 with points pt 7 ps 0.4 lc palette" + title;
  }
  if (!bars) return data + style(series) + colour(series) + title;
  Series points = series;
  points.mark = Mark::kPoints;
  return data + style(series) + colour(series) + " notitle, \\\n     " + data + style(points) +
         colour(points) + title;
}

struct Box {
  double left, right, bottom, top;
};

Box place(const Figure& figure, std::size_t panel) {
  const double width = figure.width_px, height = figure.height_px;
  const int columns = figure.columns;
  const int rows = (static_cast<int>(figure.panels.size()) + columns - 1) / columns;
  const int row = static_cast<int>(panel) / columns, column = static_cast<int>(panel) % columns;
  const auto share_of = [&](int r) {
    return figure.panels[static_cast<std::size_t>(r) * static_cast<std::size_t>(columns)]
        .height_share;
  };
  const bool titled = rows > 1 && !figure.panels[static_cast<std::size_t>(columns)].title.empty();
  const double row_gap = titled ? kTitledRowGapPx : kRowGapPx;
  double total = 0, above = 0;
  for (int r = 0; r < rows; ++r) {
    total += share_of(r);
    if (r < row) above += share_of(r);
  }
  const double right = width - kRightPx - (figure.colours ? kColourBarPx : 0);
  const double panel_width = (right - kLeftPx - kColumnGapPx * (columns - 1)) / columns;
  const double usable = height - kTopPx - kBottomPx - row_gap * (rows - 1);
  const double left = kLeftPx + column * (panel_width + kColumnGapPx);
  const double top = height - kTopPx - usable * above / total - row_gap * row;
  const double bottom = top - usable * share_of(row) / total;
  return {left / width, (left + panel_width) / width, bottom / height, top / height};
}

void write_colour_bar(std::ostream& out, const Figure& figure, bool here) {
  if (!figure.colours || !here) {
    out << "unset colorbox\n";
    return;
  }
  const double width = figure.width_px, height = figure.height_px;
  out << "set colorbox user origin " << 1 - (kRightPx + kColourBarPx - 22) / width << ","
      << kBottomPx / height << " size " << 14 / width << ","
      << (height - kTopPx - kBottomPx) / height << "\n";
}

const char* key_place(LegendPlace place) {
  switch (place) {
    case LegendPlace::kTopRight:
      return "top right";
    case LegendPlace::kBottomLeft:
      return "bottom left";
    case LegendPlace::kTopLeft:
      return "top left";
  }
  return "";
}

// Whether one element draws both: gnuplot reads the data from its beginning for each.
bool alike(const Series& a, const Series& b) {
  return a.label.empty() && b.label.empty() && a.mark == b.mark && a.scale_value && b.scale_value;
}

void write_panel(std::ostream& out, const Figure& figure, std::size_t p, std::size_t first_index) {
  const Panel& panel = figure.panels[p];
  const Box box = place(figure, p);
  const std::size_t columns = static_cast<std::size_t>(figure.columns);
  const bool lowest = p + columns >= figure.panels.size();
  out << "set lmargin at screen " << box.left << "\nset rmargin at screen " << box.right
      << "\nset bmargin at screen " << box.bottom << "\nset tmargin at screen " << box.top << "\n";
  out << "set title " << gnuplot_quoted(panel.title) << " offset 0,-0.4\n";
  out << "set xlabel " << gnuplot_quoted(lowest ? panel.x.label : "") << "\n";
  out << "set ylabel " << gnuplot_quoted(panel.y.label) << " offset 0.3,0\n";
  write_ticks(out, "x", panel.x, lowest, figure.columns == 1 ? 500 : 30);
  write_ticks(out, "y", panel.y, true, 30);
  if (panel.legend) {
    out << "set key " << key_place(panel.legend_place)
        << " Left reverse noenhanced samplen 1.6 spacing 1.15\n";
  } else {
    out << "unset key\n";
  }
  write_colour_bar(out, figure, p == 0);  // gnuplot draws one only beside coloured series
  out << "plot ";
  for (std::size_t s = 0; s < panel.series.size();) {
    std::size_t last = s;
    while (last + 1 < panel.series.size() && alike(panel.series[s], panel.series[last + 1])) ++last;
    out << (s ? ", \\\n     " : "")
        << plot_element(figure, first_index + s, first_index + last, panel.series[s]);
    s = last + 1;
  }
  if (panel.series.empty()) out << "NaN notitle";
  out << "\n";
}

constexpr double kPixelsAnInch = 96;

void write_terminal(std::ostream& out, const Figure& figure, const std::string& form) {
  const int width = figure.width_px, height = figure.height_px;
  if (form == "svg") {
    out << "set terminal svg noenhanced size " << width << "," << height
        << " dynamic font 'DejaVu Sans,13' name '" << figure.id << "'\n";
  } else if (form == "png") {
    out << "set terminal pngcairo noenhanced size " << 2 * width << "," << 2 * height
        << " background rgb 'white' font 'DejaVu Sans,12' fontscale 1.75 linewidth 2 pointscale "
           "2\n";
  } else {
    out << "set terminal pdfcairo noenhanced size " << width / kPixelsAnInch << ","
        << height / kPixelsAnInch << " background rgb 'white' font 'DejaVu Sans,10'\n";
  }
}

std::string palette_stops() {
  std::ostringstream out;
  for (const ColourStop& stop : light_palette().scale) {
    out << (stop.at > 0 ? ", " : "") << stop.at << " '" << stop.colour << "'";
  }
  return out.str();
}

}  // namespace

std::string gnuplot_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : escaped_lines(text)) {
    if (c == '\n' || c == '\t') {
      quoted += ' ';
    } else {
      quoted += c == '\'' ? std::string("''") : std::string(1, c);
    }
  }
  return quoted + "'";
}

std::string gnuplot_script(const Figure& figure) {
  std::ostringstream out;
  out.precision(10);
  out << "# Run in this folder: gnuplot " << figure.id << ".gp\n";
  for (const char* form : {"svg", "png", "pdf"}) {
    write_terminal(out, figure, form);
    out << "set output '" << figure.id << '.' << form << "'\n";
    out << "set border 3 lw 0.8\nset tics nomirror out scale 0.5\nset mxtics default\n"
           "set grid back lc rgb '#b0b0b0' lw 0.4 dt 1\nset errorbars small\nset pointintervalbox "
           "0\n";
    if (figure.colours) {
      out << "set palette defined (" << palette_stops() << ")\nset logscale cb\nset cbrange ["
          << figure.colours->low << ":" << figure.colours->high << "]\nset format cb '"
          << (figure.colours->human_numbers ? "%.0s%c" : "%.0e") << "'\nset cblabel "
          << gnuplot_quoted(figure.colours->label) << " offset 0.6,0\n";
    }
    out << "set multiplot\n";
    std::size_t index = 0;
    for (std::size_t p = 0; p < figure.panels.size(); ++p) {
      write_panel(out, figure, p, index);
      index += figure.panels[p].series.size();
    }
    out << "unset multiplot\nset output\nreset\n";
  }
  return out.str();
}

std::string gnuplot_data(const Figure& figure) {
  std::ostringstream out;
  out.precision(10);
  for (const Panel& panel : figure.panels) {
    for (const Series& series : panel.series) {
      // Two blank lines part gnuplot's blocks; an empty one needs a row all the same.
      if (series.x.empty()) out << "NaN NaN NaN NaN NaN\n";
      for (std::size_t i = 0; i < series.x.size(); ++i) {
        const double y = series.y.empty() ? series.low[i] : series.y[i];
        out << series.x[i] << ' ' << y << ' ' << (series.low.empty() ? y : series.low[i]) << ' '
            << (series.high.empty() ? y : series.high[i]) << ' ' << series.scale_value.value_or(0)
            << '\n';
      }
      out << "\n\n";
    }
  }
  return out.str();
}

}  // namespace scalelaw
