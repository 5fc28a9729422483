#include <algorithm>
#include <cmath>
#include <sstream>

#include "analysis/figures/gnuplot.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// Viridis without its yellow end, which white paper swallows.
constexpr const char* kPalette =
    "set palette defined (0 '#440154', 0.2 '#414487', 0.45 '#2a788e', 0.7 '#22a884', 1 "
    "'#8ac926')\n";
constexpr double kLeft = 0.085, kRight = 0.985, kTop = 0.915, kBottom = 0.125;
constexpr double kColourBar = 0.11;  // of the width, where there is one
constexpr double kRowGap = 0.045;    // panels of one column share their x axis' labels

void write_ticks(std::ostream& out, const char* axis, const Axis& a, bool labels) {
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
  if (a.scale == AxisScale::kLog && a.high / a.low < 30) {
    out << "set " << axis << "tics (";
    const char* comma = "";
    for (const double tick : log_ticks(a.low, a.high)) {
      out << comma << "'"
          << (labels ? (a.human_numbers ? human(tick) : canonical(std::stod([&] {
               std::ostringstream t;
               t << tick;
               return t.str();
             }())))
                     : "")
          << "' " << tick;
      comma = ", ";
    }
    out << ")\n";
  } else {
    out << "set " << axis << "tics autofreq\n";
  }
  out << "set " << axis << "range [" << a.low << ":" << a.high << "]\n";
}

std::string colour(const Series& series) {
  if (series.scale_value) return "palette cb " + canonical(*series.scale_value);
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
    case Mark::kDashedLine:
      return "using 1:2 with lines dt 2 lw 1.2 lc ";
    case Mark::kPoints:
      return "using 1:2 with points" + mark + " lc ";
    case Mark::kErrorBars:
      return "using 1:2:3:4 with yerrorbars" + mark + " lw 1.1 lc ";
    case Mark::kBand:
      return "using 1:3:4 with filledcurves fs transparent solid 0.22 noborder lc ";
  }
  return "";
}

// A series with a colour of the scale carries its value as the last column.
std::string plot_element(const Figure& figure, std::size_t index, const Series& series) {
  std::string text = "'" + figure.id + ".dat' index " + std::to_string(index) + " ";
  if (series.scale_value) {
    const bool bars = series.mark == Mark::kErrorBars;
    text += bars ? "using 1:2:3:4:5 with yerrorbars pt 7 ps 0.5 lw 1.1 lc palette"
                 : "using 1:2:5 with lines lw 1.6 lc palette";
  } else {
    text += style(series) + colour(series);
  }
  return text + (series.label.empty() ? " notitle" : " title " + gnuplot_quoted(series.label));
}

struct Box {
  double left, right, bottom, top;
};

Box place(const Figure& figure, std::size_t panel) {
  const int columns = figure.columns;
  const int rows = (static_cast<int>(figure.panels.size()) + columns - 1) / columns;
  const int row = static_cast<int>(panel) / columns, column = static_cast<int>(panel) % columns;
  const double right = figure.colours ? kRight - kColourBar : kRight;
  const double width = (right - kLeft + 0.07) / columns;
  double total = 0, above = 0;
  for (int r = 0; r < rows; ++r) {
    const double share = figure.panels[static_cast<std::size_t>(r * columns)].height_share;
    total += share;
    if (r < row) above += share;
  }
  const double usable = kTop - kBottom - kRowGap * (rows - 1);
  const double share = figure.panels[static_cast<std::size_t>(row * columns)].height_share;
  Box box;
  box.left = kLeft + width * column;
  box.right = box.left + width - 0.07;
  box.top = kTop - usable * above / total - kRowGap * row;
  box.bottom = box.top - usable * share / total;
  return box;
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
  out << "set ylabel " << gnuplot_quoted(panel.y.label) << " offset 0.8,0\n";
  write_ticks(out, "x", panel.x, lowest);
  write_ticks(out, "y", panel.y, true);
  out << (panel.legend ? "set key top right noenhanced samplen 2 spacing 1.15\n" : "unset key\n");
  // One colour bar, drawn with the last panel.
  out << (figure.colours && p + 1 == figure.panels.size() ? "set colorbox" : "unset colorbox");
  if (figure.colours && p + 1 == figure.panels.size()) {
    out << " user origin " << kRight - 0.062 << "," << kBottom << " size 0.016," << kTop - kBottom;
  }
  out << "\nplot ";
  for (std::size_t s = 0; s < panel.series.size(); ++s) {
    out << (s ? ", \\\n     " : "") << plot_element(figure, first_index + s, panel.series[s]);
  }
  if (panel.series.empty()) out << "NaN notitle";
  out << "\n";
}

}  // namespace

std::string gnuplot_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
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
  for (const bool svg : {true, false}) {
    if (svg) {
      out << "set terminal svg noenhanced size " << figure.width_px << "," << figure.height_px
          << " dynamic font 'DejaVu Sans,13' name '" << figure.id << "'\n";
    } else {
      out << "set terminal pngcairo noenhanced size " << 2 * figure.width_px << ","
          << 2 * figure.height_px
          << " background rgb 'white' font 'DejaVu Sans,12' fontscale 1.75 linewidth 2 pointscale "
             "2\n";
    }
    out << "set output '" << figure.id << (svg ? ".svg" : ".png") << "'\n";
    out << "set border 3 lw 0.8\nset tics nomirror out scale 0.5\nset mxtics default\n"
           "set grid back lc rgb '#b0b0b0' lw 0.4 dt 1\nset errorbars small\n";
    if (figure.colours) {
      out << kPalette << "set logscale cb\nset cbrange [" << figure.colours->low << ":"
          << figure.colours->high << "]\nset format cb '%.0s%c'\nset cblabel "
          << gnuplot_quoted(figure.colours->label) << "\n";
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
