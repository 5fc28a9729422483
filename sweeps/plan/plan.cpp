#include "sweeps/plan/plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "sweeps/language/cell_expressions.h"
#include "sweeps/language/expression.h"
#include "sweeps/language/override_keys.h"
#include "sweeps/plan/cell_hours.h"
#include "sweeps/plan/cell_keep.h"
#include "sweeps/plan/fit_warnings.h"
#include "sweeps/plan/nested_data.h"
#include "sweeps/plan/plan_warnings.h"
#include "sweeps/plan/planned_cell.h"
#include "sweeps/plan/setting_effects.h"
#include "sweeps/tuning/held_out_cells.h"
#include "sweeps/tuning/tune.h"
#include "sweeps/tuning/tune_report.h"
#include "trainer/number.h"
#include "trainer/run_identity.h"

namespace scalelaw {
namespace {

std::string place_text(const SweepPlace& place) {
  std::string text;
  if (!place.block.empty()) text += "block " + place.block;
  if (!place.arm.empty()) text += (text.empty() ? "" : ", ") + ("arm " + place.arm);
  return text;
}

template <typename Item>
void add_new(std::vector<Item>& items, const Item& item) {
  if (std::ranges::find(items, item) == items.end()) items.push_back(item);
}

// Without those that are evaluated away, as a ladder's.
std::vector<std::string> swept_keys(const SweepSpec& spec) {
  std::vector<std::string> keys;
  const auto add = [&](const std::string& key) {
    const bool is_of_runs = !key.starts_with("ladder.") &&
                            std::ranges::find(horizon_forms(), key) == horizon_forms().end();
    if (is_of_runs) add_new(keys, key);
  };
  for (const SweepBlock& block : spec.blocks) {
    for (const SweepAxis& axis : block.grid) add(axis.key);
    for (const SweepAxis& axis : block.zip) add(axis.key);
    for (const FlatConfig& entry : block.list) {
      for (const auto& [key, value] : entry) add(key);
    }
  }
  return keys;
}

// A cell's fault with the line of its key and the part of the sweep that asks for the cell.
template <typename Action>
void at_its_place(const SweepPoint& point, const Action& act) {
  try {
    try {
      act();
    } catch (const KeyError& error) {
      throw_at_its_place(error, point.config);
    }
  } catch (const ConfigError& error) {
    const std::string where = place_text(point.place);
    throw ConfigError(error.what() + (where.empty() ? "" : " (in " + where + ")"));
  }
}

constexpr const char* kTrials = "tune.learning_rate";  // in a block's place

class PlanMaker {
 public:
  PlanMaker(const SweepSpec& spec, const PlanOptions& options, const TrialEnds& ends)
      : spec_(spec), options_(options), ends_(ends), data_(options.data) {
    plan_.name = spec.name;
    plan_.spec_file = spec.file;
    plan_.spec_hash = spec.content_hash;
    plan_.file_hash = spec.file_hash;
    plan_.options = options;
    plan_.swept = swept_keys(spec);
    plan_.budget = spec.budget;
    plan_.order = spec.order;
    if (spec.hold_out) held_out_.emplace(spec, options, data_, expressions_);
  }

  Plan make() {
    FlatConfig top = spec_.base;
    override_keys(spec_.settings, top);
    OverriddenSettings overridden(top, plan_.swept);
    std::vector<SweepPoint> points = expand(spec_);
    plan_.asked_for = static_cast<int64_t>(points.size());
    std::optional<RateTuner> tuner;
    if (spec_.tune) tuner.emplace(*spec_.tune, data_, expressions_);
    std::vector<CellNotes> notes;
    for (SweepPoint& point : points) {
      at_its_place(point, [&] {
        overridden.note(point.config);
        notes.push_back(evaluate_point(point, data_, expressions_));
        if (tuner) tuner->note(point);
      });
    }
    if (tuner) tuner->scan([this](const SweepPoint& trial) { return add_trial(trial); });
    for (std::size_t i = 0; i < points.size(); ++i) {
      at_its_place(points[i], [&] {
        RateTuner::Settled settled{.by_trials = false};
        if (tuner) settled = tuner->settle(i, points[i].config);
        add(points[i], notes[i], settled, tuner && tuner->is_scanned(i));
      });
    }
    if (held_out_) held_out_->check(plan_);
    settle_keep();
    if (tuner) plan_.tuned = tuner->take();
    predict_pack_hours(plan_);
    plan_.centres = fitted_centres(spec_, plan_);
    plan_.warnings = warnings_of(plan_);
    if (const std::string fault = fault_of_name(plan_); !fault.empty()) {
      plan_.warnings.push_back("run refuses it: " + fault);
    }
    for (const std::string& text : {plan_.held_out_fault, plan_.held_out_doubt}) {
      if (!text.empty()) plan_.warnings.push_back(text);
    }
    const auto resolved = [&](SweepPoint point) {
      evaluate_point(point, data_, expressions_);
      return resolve(point.config);
    };
    for (const auto& texts :
         {fit_warnings(spec_, plan_), nesting_warnings(plan_, data_), unread_.warnings(),
          overridden.warnings(), setting_warnings(spec_, resolved), tuning_warnings(plan_.tuned)}) {
      plan_.warnings.insert(plan_.warnings.end(), texts.begin(), texts.end());
    }
    return std::move(plan_);
  }

 private:
  // The cell of this hash, and whether it is a new one.
  std::pair<PlannedCell&, bool> cell_of(const SweepPoint& point) {
    PlannedCell cell = plan_cell(point, options_, data_);
    unread_.note(point.config, cell.config);
    const auto [place, is_new] = index_of_.emplace(cell.content_hash, plan_.cells.size());
    keep_.note(place->second, point.config, cell.config);
    if (is_new) {
      complete_cell(options_, data_, cell);
      plan_.cells.push_back(std::move(cell));
    }
    add_new(plan_.cells[place->second].places, point.place);
    return {plan_.cells[place->second], is_new};
  }

  RateTuner::Trial add_trial(SweepPoint point) {
    point.place.block = kTrials;
    RateTuner::Trial trial;
    at_its_place(point, [&] {
      const auto [cell, is_new] = cell_of(point);
      if (is_new) cell.is_trial = true;
      trial.cell = index_of_.at(cell.content_hash);
      if (ends_) trial.end = ends_(cell);
    });
    return trial;
  }

  void add(const SweepPoint& point, const CellNotes& notes, const RateTuner::Settled& settled,
           bool is_scanned) {
    const auto [cell, is_new] = cell_of(point);
    cell.is_trial = false;
    if (is_new) {
      cell.budget = notes.budget;
      cell.has_rate_of_trials = settled.by_trials;
      if (!settled.waits_for.empty()) {
        cell.waits = settled.needs_hand ? WaitsFor::kHand : WaitsFor::kTrials;
        cell.waits_for = settled.waits_for;
      }
    }
    if (held_out_) held_out_->note(point, cell, is_scanned);
    if (notes.size) add_new(cell.sizes, *notes.size);
    for (const NamedLaw* law : notes.laws) add_new(cell.laws, law);
  }

  // Once it is known which are held out.
  void settle_keep() {
    for (std::size_t i = 0; i < plan_.cells.size(); ++i) {
      PlannedCell& cell = plan_.cells[i];
      const bool is_held_out = !cell.prediction.empty();
      cell.config.how.keep =
          keep_.of(i, is_held_out ? spec_.keep.of_held_out : spec_.keep.of_others);
    }
  }

  const SweepSpec& spec_;
  const PlanOptions& options_;
  const TrialEnds& ends_;
  Plan plan_;
  UnreadSettings unread_;
  CellKeep keep_;
  ExpressionCache expressions_;
  DataSetHeaders data_;
  std::unordered_map<std::string, std::size_t> index_of_;  // content hash -> cell
  std::optional<HeldOutCells> held_out_;
};

}  // namespace

Plan make_plan(const SweepSpec& spec, const PlanOptions& options, const TrialEnds& ends) {
  return PlanMaker(spec, options, ends).make();
}

}  // namespace scalelaw
