#include "sweeps/launch/launch_display.h"

#include "sweeps/launch/attempt_lines.h"

namespace scalelaw {
namespace {

constexpr double kSecondsBetweenLooks = 0.5;  // at the running cells' metrics

double seconds_since(double start) {
  return monotonic_seconds() - start;
}

}  // namespace

void LaunchDisplay::tell(const std::string& text, int64_t nth) {
  display_.line("[" + std::to_string(nth) + " of " + std::to_string(plan_.cells.size()) + "] " +
                text);
}

void LaunchDisplay::tell_complete(const PlannedPack& cells, std::optional<double> seconds) {
  int64_t nth = cells_.ended() - static_cast<int64_t>(cells.size());
  for (const std::size_t cell : cells) {
    const bool is_last = cell == cells.back();
    tell(complete_text(plan_.cells[cell], cells_[cell], seconds,
                       is_last ? seconds_left() : std::nullopt),
         ++nth);
  }
}

std::optional<double> LaunchDisplay::seconds_left() const {
  if (cells_.ended() == static_cast<int64_t>(plan_.cells.size())) return std::nullopt;
  return work_left_.seconds(cells_.all(), processes_.cells(), seconds_since(start_));
}

void LaunchDisplay::show(bool stopping) {
  if (!display_.is_terminal() && seconds_since(looked_) < kSecondsBetweenLooks) return;
  looked_ = monotonic_seconds();
  SweepView view;
  view.plan = &plan_;
  for (const auto& [pid, process] : processes_.all()) {
    view.running.push_back(look_at_progress(plan_, process, cells_.all()));
  }
  view.states = count_states(cells_.all());
  view.elapsed_seconds = seconds_since(start_);
  view.seconds_left = seconds_left();
  view.stopping = stopping;
  display_.show(view);
}

}  // namespace scalelaw
