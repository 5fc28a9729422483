// Where published fits lie, and how Porian et al.'s tables are divided.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace scalelaw {

inline std::filesystem::path published_folder() {
  if (const char* folder = std::getenv("SCALELAW_TEST_DATA")) {
    return std::filesystem::path(folder) / "fits";
  }
  return std::filesystem::path(SCALELAW_SOURCE_DIR) / "../shared/data/fits";
}

// A table without quotes, a map a row.
inline std::vector<std::map<std::string, std::string>> plain_csv(
    const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::map<std::string, std::string>> rows;
  std::vector<std::string> head;
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> cells;
    std::stringstream text(line);
    for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell);
    if (head.empty()) {
      head = cells;
      continue;
    }
    cells.resize(head.size());
    std::map<std::string, std::string> row;
    for (std::size_t i = 0; i < head.size(); ++i) row[head[i]] = cells[i];
    rows.push_back(row);
  }
  return rows;
}

struct PorianFit {
  std::string name;
  std::string where;  // --where of its rows in the other tables
  std::map<std::string, double> published;
};

inline std::vector<PorianFit> porian_fits() {
  std::vector<PorianFit> fits;
  for (const auto& row : plain_csv(published_folder() / "porian/porian_published_fits.csv")) {
    PorianFit fit;
    for (const char* key :
         {"dataset", "hparams", "warmup", "decay", "param_count", "val", "file"}) {
      fit.where +=
          (fit.where.empty() ? "" : " and ") + std::string(key) + " == \"" + row.at(key) + "\"";
      fit.name += row.at(key) + " ";
    }
    for (const char* column : {"basic.n_exponent", "weighted.n_exponent"}) {
      fit.published[column] = std::stod(row.at(column));
    }
    fits.push_back(fit);
  }
  return fits;
}

inline std::vector<std::string> nanochat_conventions() {
  std::set<std::string> names;
  for (const auto& row :
       plain_csv(published_folder() / "nanochat/nanochat_isoflop_minima_jan2026.csv")) {
    names.insert(row.at("param_convention"));
  }
  return {names.begin(), names.end()};
}

}  // namespace scalelaw
