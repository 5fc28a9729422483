#include "sweeps/open_cells.h"

#include <algorithm>
#include <exception>

#include "trainer/config_yaml.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

// nullopt: the run was never begun, or its configuration cannot be read.
std::optional<double> rate_of(const Plan& plan, const SweepCell& recorded) {
  try {
    const RunFolder folder{plan.options.runs / recorded.folder};
    return read_run_config(folder.config()).train.learning_rate;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string folder_stem(const std::string& folder) {
  return folder.substr(0, folder.rfind('-'));
}

OpenCells::Key OpenCells::key(const SweepPlace& place, const std::string& folder) {
  return {place.arm, place.block, folder_stem(folder)};
}

OpenCells::OpenCells(const Plan& plan, bool is_same_file)
    : plan_(plan), is_same_file_(is_same_file), data_(plan.options.data) {
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const PlannedCell& cell = plan.cells[i];
    if (cell.is_provisional()) left_[key(cell.places.front(), cell.folder)].push_back(i);
    if (cell.is_trial) trials_of_stem_[folder_stem(cell.folder)].push_back(i);
  }
}

std::vector<std::size_t>::iterator OpenCells::like(std::vector<std::size_t>& cells,
                                                   const SweepCell& recorded,
                                                   std::optional<double> rate) {
  return std::ranges::find_if(cells, [&](std::size_t cell) {
    if (!rate) return is_same_file_;
    RunConfig config = plan_.cells[cell].config;
    config.train.learning_rate = *rate;
    return identify(std::move(config), {}, data_).content_hash == recorded.content_hash;
  });
}

bool OpenCells::takes(const SweepCell& recorded) {
  if (left_.empty()) return false;
  const std::optional<double> rate = rate_of(plan_, recorded);
  if (recorded.is_trial) {
    std::vector<std::size_t>& trials = trials_of_stem_[folder_stem(recorded.folder)];
    return like(trials, recorded, rate) != trials.end();
  }
  for (const SweepPlace& place : recorded.places) {
    const auto of_place = left_.find(key(place, recorded.folder));
    if (of_place == left_.end()) continue;
    const auto found = like(of_place->second, recorded, rate);
    if (found == of_place->second.end()) continue;
    of_place->second.erase(found);
    return true;
  }
  return false;
}

}  // namespace scalelaw
