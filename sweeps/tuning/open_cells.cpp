#include "sweeps/tuning/open_cells.h"

#include <algorithm>

#include "sweeps/tuning/recipe.h"

namespace scalelaw {
namespace {

bool share_a_place(const PlannedCell& cell, const SweepCell& recorded) {
  return std::ranges::any_of(cell.places, [&](const SweepPlace& place) {
    return std::ranges::find(recorded.places, place) != recorded.places.end();
  });
}

}  // namespace

std::string folder_stem(const std::string& folder) {
  return folder.substr(0, folder.rfind('-'));
}

OpenCells::OpenCells(const Plan& plan, bool is_same_file)
    : plan_(plan), is_same_file_(is_same_file), data_(plan.options.data) {
  if (std::ranges::none_of(plan.cells, &PlannedCell::is_provisional)) return;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const PlannedCell& cell = plan.cells[i];
    if (cell.is_provisional()) {
      provisional_[but_for_rate(cell.config, data_)].push_back(i);
      provisional_of_stem_.emplace(folder_stem(cell.folder), i);
    } else if (cell.is_trial) {
      trials_.insert(but_for_rate(cell.config, data_));
      trial_stems_.insert(folder_stem(cell.folder));
    }
  }
}

std::optional<SweepCell> OpenCells::taken(SweepCell recorded) {
  if (provisional_.empty()) return std::nullopt;
  const std::string hash =
      but_for_rate(plan_.options.runs / recorded.folder, recorded.content_hash, data_);
  if (hash.empty() && !is_same_file_) return std::nullopt;
  if (recorded.is_trial) {
    if (!is_trial_of_plan(recorded, hash)) return std::nullopt;
    return recorded;
  }
  const std::optional<std::size_t> cell = provisional_like(recorded, hash);
  if (!cell) return std::nullopt;
  taken_.insert(*cell);
  recorded.places = plan_.cells[*cell].places;
  return recorded;
}

bool OpenCells::is_trial_of_plan(const SweepCell& recorded, const std::string& hash) const {
  return hash.empty() ? trial_stems_.contains(folder_stem(recorded.folder))
                      : trials_.contains(hash);
}

std::optional<std::size_t> OpenCells::provisional_like(const SweepCell& recorded,
                                                       const std::string& hash) {
  const auto is_free = [&](std::size_t cell) { return !taken_.contains(cell); };
  if (!hash.empty()) {
    const std::vector<std::size_t>& like = provisional_[hash];
    const auto free = std::ranges::find_if(like, is_free);
    return free == like.end() ? std::nullopt : std::optional(*free);
  }
  const auto [first, last] = provisional_of_stem_.equal_range(folder_stem(recorded.folder));
  const auto free = std::find_if(first, last, [&](const auto& entry) {
    return is_free(entry.second) && share_a_place(plan_.cells[entry.second], recorded);
  });
  return free == last ? std::nullopt : std::optional(free->second);
}

}  // namespace scalelaw
