#include "sweeps/fit_warnings.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "trainer/number.h"

namespace scalelaw {
namespace {

// Cells whose variable lies outside of what a law was fitted over.
class OutOfRange {
 public:
  OutOfRange(const SweepFit& fit, std::string variable)
      : fit_(fit), variable_(std::move(variable)) {}

  void take(double value) {
    if (fit_.law.holds(value)) return;
    ++cells_;
    furthest_ = std::max({furthest_, value / fit_.law.high, fit_.law.low / value});
  }
  void warn(const Plan& plan, const std::string& what, std::vector<std::string>& texts) const {
    if (cells_ == 0) return;
    texts.push_back(std::to_string(cells_) + " of " + std::to_string(plan.cells.size()) +
                    " cells: " + variable_ + " lies outside of what " + what + " of " +
                    fit_.file.text + " was fitted over (" + human(fit_.law.low) + " to " +
                    human(fit_.law.high) + "), up to " + human(furthest_) + " times beyond");
  }

 private:
  const SweepFit& fit_;
  std::string variable_;
  int64_t cells_ = 0;
  double furthest_ = 1;
};

void warn_of_centre(const Plan& plan, const SweepBlock& block, std::vector<std::string>& texts) {
  OutOfRange outside(*block.centre, "the budget");
  for (const PlannedCell& cell : plan.cells) {
    if (cell.budget &&
        std::ranges::find(cell.places, block.name, &SweepPlace::block) != cell.places.end()) {
      outside.take(*cell.budget);
    }
  }
  outside.warn(plan, "n_opt", texts);
}

// What a critical batch is a law of; nullopt: not known of this cell.
std::optional<double> variable_of(const PlannedCell& cell, const FittedLaw& law) {
  if (law.variable == FitVariable::kTokens) return static_cast<double>(cell.train_tokens);
  const std::optional<ModelCounts> counts = count(cell.shape);
  if (!counts) return std::nullopt;
  return n_params(cell.shape, *counts, law.n_count.value());
}

void warn_of_batches(const Plan& plan, const SweepFit& fit, std::vector<std::string>& texts) {
  OutOfRange outside(fit, std::string(name(fit.law.variable)));
  int64_t above = 0;
  double most = 0;
  for (const PlannedCell& cell : plan.cells) {
    const std::optional<double> variable = variable_of(cell, fit.law);
    if (!variable || !(*variable > 0)) continue;
    outside.take(*variable);
    const double times =
        static_cast<double>(cell.config.train.batch_tokens) / fit.law.at(*variable);
    if (times <= 1) continue;
    ++above;
    most = std::max(most, times);
  }
  if (above > 0) {
    texts.push_back(std::to_string(above) + " of " + std::to_string(plan.cells.size()) +
                    " cells: the batch is above the critical one (" + fit.file.text + "), up to " +
                    human(most) +
                    " times; more tokens at once save few steps there (train.batch_tokens)");
  }
  outside.warn(plan, "critical_batch", texts);
}

}  // namespace

std::vector<std::string> fit_warnings(const SweepSpec& spec, const Plan& plan) {
  std::vector<std::string> texts;
  for (const SweepBlock& block : spec.blocks) {
    if (block.centre) warn_of_centre(plan, block, texts);
  }
  if (spec.critical_batch) warn_of_batches(plan, *spec.critical_batch, texts);
  return texts;
}

}  // namespace scalelaw
