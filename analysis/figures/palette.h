// The colours of figures, for those who see them by day, by night, and with other eyes: arms have
// Okabe & Ito's palette without its yellow, numbers have viridis less the end that the paper
// swallows.
#pragma once

#include <string>
#include <vector>

namespace scalelaw {

struct ColourStop {
  double at;           // 0 .. 1
  std::string colour;  // "#440154"
};

struct Palette {
  std::string paper, ink, soft, grid;
  std::vector<std::string> arms;
  std::vector<ColourStop> scale;
};

const Palette& light_palette();  // gnuplot's, and the page's by day and on paper
const Palette& dark_palette();

// "#0072b2": of the arms' colours, repeating.
const std::string& arm_colour(int index);

}  // namespace scalelaw
