// Two arms of eight sizes whose losses are means over the windows of one test text, drawn so that
// every variance is known.
//
// ln L of a size at x = ln N, on window w: its arm's line + the seeds' noise + common(w) + own part
// of the arm, level(w) + (x - centre) tilt(w) + of the size, own(w). Windows of one document share
// their text's draws.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "analysis/arm_laws.h"
#include "analysis/slope_difference.h"

namespace scalelaw {

struct WindowNoise {
  double common = 0;           // sd of what every run of both arms shares, of one window
  double level = 0, tilt = 0;  // of the first arm alone
  double correlation = 0;      // of level and tilt
  double own = 0;              // of one size
  int document = 1;            // windows in it
  int windows = 1024;          // 0: not known, and the text adds nothing
};

struct Ladder {
  double slope = .1;
  double ln_loss = 1;  // at the centre
  std::vector<int> seeds = {1, 1, 2, 1, 1, 2, 1, 1};
  double seed_sd = .005, size_sd = 0;
};

inline const double kLadderCentre = std::log(1.5e4);  // two decades about it

struct WindowDraws {
  std::vector<double> common, level, tilt;
};

inline WindowDraws draw_text(const WindowNoise& noise, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  WindowDraws text;
  double common = 0, one = 0, two = 0;
  for (int w = 0; w < noise.windows; ++w) {
    if (w % noise.document == 0) {
      common = normal(random);
      one = normal(random);
      two = noise.correlation * one +
            std::sqrt(1 - noise.correlation * noise.correlation) * normal(random);
    }
    text.common.push_back(noise.common * common);
    text.level.push_back(noise.level * one);
    text.tilt.push_back(noise.tilt * two);
  }
  return text;
}

// `share`: of the text's level and tilt that this arm has (1: all, 0: none).
inline ArmLaws draw_arm(const Ladder& ladder, const WindowNoise& noise, const WindowDraws& text,
                        double share, const std::string& name, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  ArmLaws arm;
  arm.arm = name;
  const std::size_t sizes = ladder.seeds.size();
  for (std::size_t i = 0; i < sizes; ++i) {
    const double x =
        std::log(10.0) * (2.0 * static_cast<double>(i) / static_cast<double>(sizes - 1) - 1);
    WindowSeries series;
    double mean = 0;  // over the windows, less 1
    for (std::size_t w = 0; w < text.common.size(); ++w) {
      const double off =
          text.common[w] + share * (text.level[w] + x * text.tilt[w]) + noise.own * normal(random);
      series.push_back(1 + off);
      mean += off / static_cast<double>(text.common.size());
    }
    SizeCell c;
    c.n = std::exp(kLadderCentre + x);
    c.recipe_hash = name + std::to_string(i);
    const double line = ladder.ln_loss - ladder.slope * x + ladder.size_sd * normal(random);
    for (int s = 0; s < ladder.seeds[i]; ++s) {
      c.ln_losses.push_back(line + mean + ladder.seed_sd * normal(random));
      c.content_hash.push_back(c.recipe_hash + "/" + std::to_string(s));
      c.mean_ln_loss += c.ln_losses.back() / ladder.seeds[i];
    }
    arm.cells.push_back(std::move(c));
    if (noise.windows > 0) arm.windows.push_back(std::move(series));
  }
  return arm;
}

// Weights and lines, as fit_arms sets them.
inline void fit_ladders(std::vector<ArmLaws>& arms) {
  std::vector<std::vector<SizeCell>> cells;
  for (ArmLaws& arm : arms) {
    set_evaluation_variances(arm.windows, arm.cells);
    cells.push_back(arm.cells);
  }
  weigh_cells(cells);
  for (std::size_t k = 0; k < arms.size(); ++k) {
    arms[k].cells = cells[k];
    arms[k].power = fit_line_of(arms[k].cells, arms[k].windows, .95);
  }
}

}  // namespace scalelaw
