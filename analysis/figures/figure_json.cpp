#include "analysis/figures/figure_json.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "analysis/figures/palette.h"
#include "trainer/escaped.h"

namespace scalelaw {
namespace {

// What turns writing around would turn a label's numbers too, and < would let text end the script
// element.
std::string quoted(const std::string& text) {
  const std::string json = nlohmann::json(escaped(text)).dump();
  std::string out;
  for (const char c : json) out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return out;
}

std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  std::snprintf(text, sizeof(text), "%.7g", value);
  return text;
}

const char* truth(bool value) {
  return value ? "true" : "false";
}

template <class Items, class Write>
std::string list(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) out += (out.size() > 1 ? "," : "") + write(item);
  return out + "]";
}

const char* mark_name(Mark mark) {
  switch (mark) {
    case Mark::kLine:
      return "line";
    case Mark::kPoints:
      return "points";
    case Mark::kHollowPoints:
      return "hollow";
    case Mark::kErrorBars:
      return "bars";
    case Mark::kBand:
      return "band";
  }
  return "";
}

std::string axis_json(const Axis& axis) {
  return "{\"label\":" + quoted(axis.label) + ",\"log\":" + truth(axis.scale == AxisScale::kLog) +
         ",\"range\":[" + number(axis.low) + "," + number(axis.high) +
         "],\"human\":" + truth(axis.human_numbers) + "}";
}

std::string series_json(const Series& series) {
  std::string out = "{\"mark\":\"" + std::string(mark_name(series.mark)) +
                    "\",\"label\":" + quoted(series.label) +
                    ",\"colour\":" + std::to_string(series.colour);
  if (series.scale_value) out += ",\"value\":" + number(*series.scale_value);
  if (!series.names.empty()) out += ",\"names\":" + list(series.names, quoted);
  for (const auto& [key, values] : {std::pair{"x", &series.x},
                                    {"y", &series.y},
                                    {"low", &series.low},
                                    {"high", &series.high}}) {
    if (!values->empty()) out += ",\"" + std::string(key) + "\":" + list(*values, number);
  }
  return out + "}";
}

std::string panel_json(const Panel& panel) {
  return "{\"title\":" + quoted(panel.title) + ",\"share\":" + number(panel.height_share) +
         ",\"legend\":" + truth(panel.legend) + ",\"x\":" + axis_json(panel.x) +
         ",\"y\":" + axis_json(panel.y) + ",\"series\":" + list(panel.series, series_json) + "}";
}

std::string palette_json(const Palette& palette) {
  const auto stop = [](const ColourStop& s) {
    return "[" + number(s.at) + "," + quoted(s.colour) + "]";
  };
  return "{\"paper\":" + quoted(palette.paper) + ",\"ink\":" + quoted(palette.ink) +
         ",\"soft\":" + quoted(palette.soft) + ",\"grid\":" + quoted(palette.grid) +
         ",\"arms\":" + list(palette.arms, quoted) + ",\"scale\":" + list(palette.scale, stop) +
         "}";
}

}  // namespace

std::string figure_json(const Figure& figure) {
  std::string colours = "null";
  if (figure.colours) {
    const ColourScale& c = *figure.colours;
    colours = "{\"label\":" + quoted(c.label) + ",\"low\":" + number(c.low) +
              ",\"high\":" + number(c.high) + ",\"human\":" + truth(c.human_numbers) + "}";
  }
  return "{\"id\":" + quoted(figure.id) + ",\"title\":" + quoted(figure.title) +
         ",\"columns\":" + std::to_string(figure.columns) +
         ",\"height\":" + std::to_string(figure.height_px) + ",\"colours\":" + colours +
         ",\"panels\":" + list(figure.panels, panel_json) + "}";
}

std::string themes_json() {
  return "{\"light\":" + palette_json(light_palette()) +
         ",\"dark\":" + palette_json(dark_palette()) + "}";
}

}  // namespace scalelaw
