#include "sweeps/plan/fit_warnings.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "trainer/number.h"

namespace scalelaw {
namespace {

// Cells whose variable lies outside of what a law was fitted over.
class OutOfRange {
 public:
  OutOfRange(const SweepFit& fit, std::string variable, const FitRange& range)
      : fit_(fit), variable_(std::move(variable)), range_(range) {}

  void take(double value) {
    if (range_.holds(value)) return;
    ++cells_;
    furthest_ = std::max({furthest_, value / range_.high, range_.low / value});
  }
  void warn(const Plan& plan, const std::string& what, std::vector<std::string>& texts) const {
    if (cells_ == 0) return;
    texts.push_back(std::to_string(cells_) + " of " + std::to_string(plan.cells.size()) +
                    " cells: " + variable_ + " lies outside of what " + what + " of " +
                    fit_.file.text + " was fitted over (" + human(range_.low) + " to " +
                    human(range_.high) + "), up to " + human(furthest_) + " times beyond");
  }

 private:
  const SweepFit& fit_;
  std::string variable_;
  FitRange range_;
  int64_t cells_ = 0;
  double furthest_ = 1;
};

void warn_of_centre(const Plan& plan, const SweepBlock& block, std::vector<std::string>& texts) {
  const FittedLaw& law = block.centre->law;
  constexpr FitRange kEverything = {0, std::numeric_limits<double>::infinity()};
  OutOfRange budgets(*block.centre, "the budget", {law.low, law.high});
  OutOfRange sizes(*block.centre, "N", law.n_range.value_or(kEverything));
  OutOfRange tokens(*block.centre, "D", law.d_range.value_or(kEverything));
  for (const PlannedCell& cell : plan.cells) {
    if (!cell.budget || !cell.is_of(block.name)) continue;
    budgets.take(*cell.budget);
    if (const auto n = size_by(law, cell.shape)) sizes.take(*n);
    tokens.take(static_cast<double>(cell.train_tokens));
  }
  for (const OutOfRange* outside : {&budgets, &sizes, &tokens}) outside->warn(plan, "n_opt", texts);
}

void warn_of_wide_centres(const Plan& plan, std::vector<std::string>& texts) {
  int64_t wide = 0;
  const FittedCentre* widest = nullptr;
  for (const FittedCentre& centre : plan.centres) {
    if (!centre.is_wider_than_sizes()) continue;
    ++wide;
    const auto width = [](const FittedCentre& c) { return c.interval->high / c.interval->low; };
    if (widest == nullptr || width(centre) > width(*widest)) widest = &centre;
  }
  if (wide == 0) return;
  texts.push_back(
      std::to_string(wide) + " of " + std::to_string(plan.centres.size()) +
      " budgets: N* is known less well by " + widest->file +
      " than the sizes about it reach: " + human(widest->interval->low) + " to " +
      human(widest->interval->high) + " at " + human(widest->budget) + " FLOPs, and sizes " +
      human(widest->sizes.low) + " to " + human(widest->sizes.high) +
      ", which the minimum may lie outside of; fit more runs, or ask for more sizes or wider "
      "spacing");
}

// What a critical batch is a law of; nullopt: not known of this cell.
std::optional<double> variable_of(const PlannedCell& cell, const FittedLaw& law) {
  if (law.variable == FitVariable::kTokens) return static_cast<double>(cell.train_tokens);
  return size_by(law, cell.shape);
}

void warn_of_batches(const Plan& plan, const SweepFit& fit, std::vector<std::string>& texts) {
  OutOfRange outside(fit, std::string(name(fit.law.variable)), {fit.law.low, fit.law.high});
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
  warn_of_wide_centres(plan, texts);
  if (spec.critical_batch) warn_of_batches(plan, *spec.critical_batch, texts);
  return texts;
}

}  // namespace scalelaw
