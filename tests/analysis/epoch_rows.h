// Epoch AI's extraction of Chinchilla's runs, where it is at hand.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "analysis/fitting/fit.h"

namespace scalelaw {

inline std::filesystem::path test_data() {
  if (const char* folder = std::getenv("SCALELAW_TEST_DATA")) return folder;
  return std::filesystem::path(SCALELAW_SOURCE_DIR) / "../shared/data";
}

// The 240 rows of the published protocol: the five highest losses dropped, D = C / 6N. Empty where
// the data are not here.
inline std::vector<Observation> epoch_rows() {
  std::ifstream file(test_data() / "fits/epoch_chinchilla/svg_extracted_data.csv");
  std::vector<Observation> rows;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::vector<std::string> cells;
    std::stringstream text(line);
    for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell);
    const double n = std::stod(cells.at(3)), c = std::stod(cells.at(4));
    rows.push_back({n, c / (6 * n), std::stod(cells.at(6)), 1});
  }
  if (rows.size() < 6) return {};
  std::sort(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.loss < b.loss; });
  rows.resize(rows.size() - 5);
  return rows;
}

}  // namespace scalelaw
