#include "sweeps/tuning/open_predictions.h"

#include <algorithm>
#include <exception>
#include <filesystem>

#include "sweeps/tuning/open_cells.h"
#include "sweeps/tuning/recipe.h"
#include "trainer/cell_exclusion.h"
#include "trainer/run_record.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

OpenPredictions::OpenPredictions(const Plan& plan, const std::optional<Prediction>& prediction,
                                 DataSetHeaders& data)
    : data_(data), knows_nothing_(!prediction) {
  const auto is_open = [](const PlannedCell& cell) {
    return !cell.prediction.empty() && cell.is_provisional();
  };
  if (knows_nothing_ || std::ranges::none_of(plan.cells, is_open)) return;
  for (const PredictedCell& cell : prediction->cells) add(plan, cell.folder, cell.content_hash);
  const std::filesystem::path file = sweep_record_file(plan.options.runs, plan.name);
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return;
  try {
    for (const SweepCell& cell : read_sweep_record(file).cells) {
      const RunFolder folder{plan.options.runs / cell.folder};
      if (!cell.is_trial && (std::filesystem::exists(folder.record(), error) ||
                             exclusion_reason(file, cell.content_hash))) {
        add(plan, cell.folder, cell.content_hash);
      }
    }
  } catch (const std::exception&) {  // whoever asks for the record itself is told
    knows_nothing_ = true;
  }
}

bool OpenPredictions::may_hold(const PlannedCell& cell) const {
  return knows_nothing_ || stems_.contains(folder_stem(cell.folder)) ||
         hashes_.contains(but_for_rate(cell.config, data_));
}

void OpenPredictions::add(const Plan& plan, const std::string& folder,
                          const std::string& content_hash) {
  const std::string hash = but_for_rate(plan.options.runs / folder, content_hash, data_);
  if (hash.empty()) {  // never begun, or damaged
    stems_.insert(folder_stem(folder));
  } else {
    hashes_.insert(hash);
  }
}

}  // namespace scalelaw
