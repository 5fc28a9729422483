#include "sweeps/launch/repacking.h"

#include <algorithm>

#include "trainer/clock.h"
#include "trainer/step_choice.h"

namespace scalelaw {
namespace {

constexpr double kTimesTheBeginning = 2;

}  // namespace

double seconds_of_ended_rows(const PlanOptions& options, const PlannedCell& cell, int64_t rows,
                             int64_t training, int64_t steps, double seconds_a_step) {
  const Throughput assumed = Throughput::unmeasured(options.workers.device);
  const auto step_of = [&](const Throughput& device, int64_t replicas) {
    return device.step_seconds(request_for(cell.config, cell.shape, replicas),
                               std::min(options.workers.jobs, device.most_processes()));
  };
  const auto share_of_the_rest = [&](const Throughput& device) -> std::optional<double> {
    const std::optional<double> all = step_of(device, rows), rest = step_of(device, training);
    if (!all || !rest || !(*all > 0)) return std::nullopt;
    return std::min(1.0, *rest / *all);
  };
  std::optional<double> share;
  if (options.throughput) share = share_of_the_rest(*options.throughput);
  if (!share) share = share_of_the_rest(assumed);
  return share ? static_cast<double>(steps) * seconds_a_step * (1 - *share) : 0;
}

std::vector<PackToShrink> Repacking::worth_it(const std::map<pid_t, PackProcess>& processes,
                                              const std::vector<CellStatus>& statuses) {
  std::vector<PackToShrink> found;
  for (const auto& [pid, process] : processes) {
    if (process.cells.size() == 1 || process.asked_to_end != EndAsked::kNo) continue;
    if (const auto pack = look(pid, process, statuses)) found.push_back(*pack);
  }
  return found;
}

std::optional<PackToShrink> Repacking::look(pid_t pid, const PackProcess& process,
                                            const std::vector<CellStatus>& statuses) {
  Progress& progress = progress_[pid];
  if (progress.started_at != process.started_at) progress = {process.started_at, {}, {}};
  int64_t step = 0, before = 0;  // of those that train: the others' stand still
  for (const CellInProgress& each : process.cells) {
    step = std::max(step, statuses[each.cell].step);
    before = std::max(before, each.first_step);
  }
  if (step <= before || (progress.last && step <= progress.last->step)) return std::nullopt;
  progress.last = Seen{step, monotonic_seconds()};
  if (!progress.first) {
    progress.first = progress.last;
    return std::nullopt;
  }
  const auto ended = std::ranges::count_if(process.cells, [&](const CellInProgress& each) {
    return has_record(plan_, plan_.cells[each.cell]);
  });
  const auto rows = static_cast<int64_t>(process.cells.size());
  if (ended == 0 || ended == rows) return std::nullopt;
  const PlannedCell& cell = plan_.cells[process.cells.front().cell];
  const double seconds_a_step = (progress.last->at - progress.first->at) /
                                static_cast<double>(progress.last->step - progress.first->step);
  const double saved = seconds_of_ended_rows(plan_.options, cell, rows, rows - ended,
                                             cell.steps - step, seconds_a_step);
  const double to_begin = progress.first->at - process.started_at;
  if (saved <= kTimesTheBeginning * to_begin) return std::nullopt;
  return PackToShrink{pid, rows, rows - ended, saved};
}

}  // namespace scalelaw
