#include "sweeps/plan/spending.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "sweeps/plan/cell_hours.h"
#include "sweeps/plan/disk_needs.h"
#include "sweeps/tuning/what_is_known.h"
#include "trainer/bytes_text.h"
#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kSecondsAnHour = 3600;

double share_done(const PlannedCell& cell, const CellStatus& status) {
  const auto steps = static_cast<double>(std::max<int64_t>(1, cell.steps));
  return std::min(1.0, static_cast<double>(status.step) / steps);
}

// A core's, or of a GPU.
double device_hours(const PlannedCell& cell) {
  return cell.core_hours.value_or(cell.gpu_hours.value_or(0));
}

// One reading, for a store on a network may be slow to be asked of each of thousands of cells;
// nullopt where it cannot be read.
std::optional<std::set<std::string>> names_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    names.insert(it->path().filename().string());
  }
  if (error) return std::nullopt;
  return names;
}

}  // namespace

void check_number_of_runs(const Plan& plan, const std::vector<PlannedPack>& packs, int64_t most) {
  std::size_t runs = 0;
  for (const PlannedPack& pack : packs) runs += pack.size();
  runs += static_cast<std::size_t>(waiting_cells(plan) + may_follow(plan.tuned));
  if (static_cast<int64_t>(runs) <= most) return;
  throw ConfigError(plan.spec_file + ": " + std::to_string(runs) +
                    " runs are to be started, more than " + std::to_string(most) +
                    "; `scalelaw sweep plan` says what they cost. To start them, add --yes " +
                    std::to_string(runs));
}

Spending::Spending(const Plan& plan, const std::vector<CellStatus>& statuses)
    : plan_(plan), statuses_(statuses) {
  if (plan.budget.is_set()) read_ledgers(plan, statuses_);
}

Spending::Cost Spending::spent(std::size_t cell) const {
  const PlannedCell& planned = plan_.cells[cell];
  const CellStatus& status = statuses_[cell];
  const RunLedger& ledger = status.ledger;
  // Of processes that share a GPU each ledger has the whole of it.
  const double undivided =
      ledger.undivided_core_seconds +
      ledger.undivided_gpu_seconds / static_cast<double>(planned.packs_on_its_gpu);
  return {.flops = planned.train_flops.value_or(0) * share_done(planned, status),
          .device_hours = (ledger.device_seconds + undivided) / kSecondsAnHour,
          .disk = status.step > 0 ? bytes_of_complete(planned) : 0,
          .process_hours = ledger.wall_seconds / kSecondsAnHour,
          .runs_in_process = planned.runs_in_its_pack,
          .noted_hours = ledger.device_seconds / kSecondsAnHour,
          .machine_hours = ledger.machine_seconds / kSecondsAnHour};
}

Spending::Cost Spending::whole(std::size_t cell) const {
  const PlannedCell& planned = plan_.cells[cell];
  const CellStatus& status = statuses_[cell];
  const Cost so_far = spent(cell);
  if (ended(status.state)) return so_far;
  const double left = 1 - share_done(planned, status);
  const auto in_all = [&](double so_far_hours, double planned_hours) {
    return std::max(planned_hours, so_far_hours + planned_hours * left);
  };
  return {.flops = planned.train_flops.value_or(0),
          .device_hours = in_all(so_far.device_hours, device_hours(planned)),
          .disk = bytes_of_complete(planned),
          .process_hours = in_all(so_far.process_hours, process_hours(planned)),
          .runs_in_process = planned.runs_in_its_pack,
          .noted_hours = so_far.noted_hours,
          .machine_hours = so_far.machine_hours};
}

void Spending::Total::add(const Cost& of_one, Stage stage) {
  cost.flops += of_one.flops;
  cost.device_hours += of_one.device_hours;
  cost.disk += of_one.disk;
  wall.add(stage, of_one.device_hours - of_one.noted_hours, of_one.process_hours,
           of_one.runs_in_process);
  wall.add_had(stage, of_one.machine_hours);
}

Spending::Total Spending::sum(const PlannedPack& also) const {
  Total total{{}, WallHours(plan_.options)};
  const std::set<std::size_t> these(also.begin(), also.end());
  for (std::size_t i = 0; i < plan_.cells.size(); ++i) {
    const bool runs =
        under_way_.contains(i) || these.contains(i) || statuses_[i].state == CellState::kRunning;
    total.add(runs ? whole(i) : spent(i), plan_.cells[i].stage());
  }
  return total;
}

double Spending::price(const Total& total) const {
  return plan_.options.price_per_hour.value_or(0) * total.wall.hours();
}

std::string Spending::beyond(const Total& total) const {
  const SweepBudget& budget = plan_.budget;
  const Cost& cost = total.cost;
  const auto over = [](const char* key, const std::optional<double>& limit, double amount,
                       std::string (*in_words)(double) = human) {
    if (!limit || amount <= *limit) return std::string();
    return std::string("budget.") + key + " = " + in_words(*limit) + ": comes to " +
           in_words(amount);
  };
  for (const std::string& text : {over("flops", budget.flops, cost.flops),
                                  over("device_hours", budget.device_hours, cost.device_hours),
                                  over("price", budget.price, price(total)),
                                  over("disk", budget.disk, cost.disk, bytes_text)}) {
    if (!text.empty()) return text;
  }
  return "";
}

PlannedPack Spending::to_come() const {
  PlannedPack cells;
  for (std::size_t i = 0; i < statuses_.size(); ++i) {
    if (is_to_come(statuses_[i])) cells.push_back(i);
  }
  return cells;
}

Spending::Total Spending::at_most() const {
  Total total = sum(to_come());
  for (const TunedRecipe& scan : plan_.tuned.scans) {
    if (scan.may_follow == 0) continue;
    const PlannedCell& like = plan_.cells[scan.like];
    const auto trials = static_cast<double>(scan.may_follow);
    total.add({.flops = trials * like.train_flops.value_or(0),
               .device_hours = trials * device_hours(like),
               .disk = trials * bytes_of_complete(like),
               .process_hours = process_hours(like),
               .runs_in_process = like.runs_in_its_pack},
              Stage::kAtOnce);
  }
  return total;
}

void Spending::check_whole() const {
  if (plan_.budget.price && !plan_.options.price_per_hour) {
    throw ConfigError(plan_.spec_file +
                      ": budget.price: what this machine costs is not known; add "
                      "--price-per-hour");
  }
  if (!plan_.budget.is_set() || plan_.budget.starts_nothing_new) return;
  if (to_come().empty()) return;
  const std::string why = beyond(at_most());
  if (why.empty()) return;
  throw ConfigError(plan_.spec_file + ": " + why +
                    ", with what its runs have cost already; ask for less, raise it, or let the "
                    "sweep go as far as it reaches by budget.when_reached: start_nothing_new");
}

bool Spending::starts_nothing_new() const {
  return plan_.budget.is_set() && plan_.budget.starts_nothing_new;
}

bool Spending::goes_on(std::size_t cell) const {
  const CellState state = statuses_[cell].state;
  if (started_here_.contains(cell)) return !ended(state) && state != CellState::kFailed;
  return state == CellState::kInterrupted;
}

bool Spending::has_begun(const PlannedPack& pack) const {
  return std::ranges::any_of(pack, [&](std::size_t cell) { return goes_on(cell); });
}

std::vector<PlannedPack> Spending::in_turn(std::vector<PlannedPack> packs) const {
  if (!starts_nothing_new()) return packs;
  std::stable_partition(packs.begin(), packs.end(),
                        [&](const PlannedPack& pack) { return has_begun(pack); });
  return packs;
}

std::string Spending::why_not(const PlannedPack& pack) const {
  const auto has_ended = [&](std::size_t cell) { return ended(statuses_[cell].state); };
  if (!starts_nothing_new() || std::ranges::all_of(pack, has_ended)) return "";
  PlannedPack to_their_end = pack;
  const bool is_new = !has_begun(pack);
  for (std::size_t i = 0; is_new && i < statuses_.size(); ++i) {
    if (goes_on(i)) to_their_end.push_back(i);
  }
  const std::string why = beyond(sum(to_their_end));
  return why.empty() ? "" : why + " with " + plan_.cells[pack.front()].folder;
}

PlannedPack Spending::running_elsewhere() const {
  PlannedPack cells;
  for (std::size_t i = 0; i < statuses_.size(); ++i) {
    if (statuses_[i].state == CellState::kRunning && !under_way_.contains(i)) cells.push_back(i);
  }
  return cells;
}

void Spending::started(const PlannedPack& pack) {
  under_way_.insert(pack.begin(), pack.end());
  started_here_.insert(pack.begin(), pack.end());
}

void Spending::update(const PlannedPack& cells, const std::vector<CellStatus>& statuses) {
  if (!plan_.budget.is_set()) return;
  for (const std::size_t cell : cells) {
    under_way_.erase(cell);
    statuses_[cell] = statuses[cell];
    read_ledger(plan_, plan_.cells[cell], statuses_[cell]);
  }
}

void Spending::look_at_others(const std::vector<CellStatus>& statuses) {
  if (!starts_nothing_new()) return;
  const std::optional<std::set<std::string>> begun = names_in(plan_.options.runs);
  for (std::size_t i = 0; i < statuses_.size(); ++i) {
    if (under_way_.contains(i) || ended(statuses_[i].state)) continue;
    const bool is_there = !begun || begun->contains(plan_.cells[i].folder);
    const bool was_there =
        statuses_[i].state == CellState::kRunning || statuses_[i].state == CellState::kInterrupted;
    if (is_there || was_there) look_again(i, statuses);
  }
}

void Spending::look_again(std::size_t cell, const std::vector<CellStatus>& statuses) {
  const bool had_failed =
      statuses_[cell].state == CellState::kFailed || statuses[cell].state == CellState::kFailed;
  statuses_[cell] = look_at(plan_, plan_.cells[cell], {});
  read_ledger(plan_, plan_.cells[cell], statuses_[cell]);
  if (statuses_[cell].state == CellState::kRunning) return;
  if (had_failed && goes_on(cell)) statuses_[cell].state = CellState::kFailed;
}

std::string Spending::text() const {
  if (!plan_.budget.is_set()) return "";
  const Total all = at_most();
  const SweepBudget& budget = plan_.budget;
  std::string text;
  const auto add = [&](const char* key, const std::optional<double>& limit, double amount,
                       std::string (*in_words)(double) = human) {
    if (!limit) return;
    text += (text.empty() ? "" : ", ") + std::string(key) + " " + in_words(amount) + " of " +
            in_words(*limit);
  };
  add("flops", budget.flops, all.cost.flops);
  add("device_hours", budget.device_hours, all.cost.device_hours);
  if (plan_.options.price_per_hour) {
    add("price", budget.price, price(all));
  } else if (budget.price) {
    text += (text.empty() ? "" : ", ") + std::string("price not known without --price-per-hour");
  }
  add("disk", budget.disk, all.cost.disk, bytes_text);
  const std::string why = beyond(all);
  return text + (why.empty()                 ? ""
                 : budget.starts_nothing_new ? " (reached before the end)"
                                             : " (too much: run refuses)");
}

}  // namespace scalelaw
