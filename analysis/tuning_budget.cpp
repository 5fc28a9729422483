#include "analysis/tuning_budget.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "trainer/number.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// As sweeps judges a scan: a rate that diverged closer than this bounds the best.
constexpr double kNarrow = 1.5;

struct Trial {
  std::string arm;  // "": of its architecture
  fs::path folder;
};

std::vector<Trial> trials_at(const fs::path& path) {
  std::vector<Trial> trials;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    for (const SweepCell& cell : trials_of_store(path)) trials.push_back({"", path / cell.folder});
    return trials;
  }
  const fs::path runs = fs::absolute(path).parent_path().parent_path();
  for (const SweepCell& cell : read_sweep_record(path).cells) {
    if (!cell.is_trial) continue;
    for (const SweepPlace& place : cell.places) trials.push_back({place.arm, runs / cell.folder});
  }
  return trials;
}

// Of one rate.
struct Tried {
  double sum = 0;
  int losses = 0, trials = 0;
  bool diverged = false;
  bool is_worse_than(const Tried& other) const {
    if (diverged || other.diverged) return diverged && !other.diverged;
    return mean() > other.mean();
  }
  double mean() const { return sum / std::max(losses, 1); }
};
using Rates = std::map<double, Tried>;

void add(const RunRecord& record, const Selection& selection, Rates& rates) {
  Tried& tried = rates[record.learning_rate];
  ++tried.trials;
  const auto asked = record.test.find(selection.test_set);
  const auto test = asked == record.test.end() ? record.test.begin() : asked;
  if (record.state == RunState::kDiverged || test == record.test.end()) {
    tried.diverged = true;
    return;
  }
  tried.sum += test->second.loss_nats;
  ++tried.losses;
}

void judge(const Rates& rates, RateScan& scan) {
  for (const auto& [rate, tried] : rates) {
    scan.rates.push_back(rate);
    scan.trials += tried.trials;
  }
  const auto best = std::min_element(rates.begin(), rates.end(), [](const auto& x, const auto& y) {
    return y.second.is_worse_than(x.second);
  });
  if (best->second.diverged) return;
  scan.best = best->first;
  const auto next = std::next(best);
  scan.at_edge = best == rates.begin() || next == rates.end() || std::prev(best)->second.diverged ||
                 (next->second.diverged && next->first > kNarrow * best->first);
}

int trials_of(const std::vector<RateScan>& scans, const std::string& arm) {
  int trials = 0;
  for (const RateScan& scan : scans) trials += scan.arm == arm ? scan.trials : 0;
  return trials;
}

auto edges_of(const std::vector<RateScan>& scans, const std::string& arm) {
  return std::ranges::count_if(
      scans, [&](const RateScan& scan) { return scan.arm == arm && scan.at_edge; });
}

}  // namespace

std::vector<RateScan> rate_scans(const std::vector<fs::path>& paths, const Selection& selection) {
  std::vector<std::string> arms;
  std::map<std::tuple<std::string, double, double>, Rates> all;
  std::map<std::pair<std::string, std::string>, bool> seen;  // arm and run
  for (const fs::path& path : paths) {
    for (const Trial& trial : trials_at(path)) {
      std::optional<RunRecord> record;
      try {
        record = try_read_run_record(RunFolder{trial.folder});
      } catch (const std::runtime_error&) {
        continue;  // a damaged trial tells nothing
      }
      if (!record) continue;
      const bool by_arch = trial.arm.empty() || selection.by == ArmGrouping::kArchitecture;
      const std::string arm = by_arch ? record->shape.arch : trial.arm;
      if (std::exchange(seen[{arm, record->content_hash}], true)) continue;
      if (std::ranges::find(arms, arm) == arms.end()) arms.push_back(arm);
      const double n = n_params(record->shape, record->counts, selection.n_count);
      add(*record, selection, all[{arm, n, static_cast<double>(record->train_tokens)}]);
    }
  }
  std::vector<RateScan> scans;
  for (const std::string& arm : arms) {
    for (const auto& [place, rates] : all) {
      if (std::get<0>(place) != arm) continue;
      scans.push_back({arm, std::get<1>(place), std::get<2>(place), 0, {}, 0, false});
      judge(rates, scans.back());
    }
  }
  return scans;
}

std::string tuning_text(const std::vector<RateScan>& scans, const std::string& arm) {
  int sizes = 0;
  std::size_t fewest = 0, most = 0;
  for (const RateScan& scan : scans) {
    if (scan.arm != arm) continue;
    fewest = sizes == 0 ? scan.rates.size() : std::min(fewest, scan.rates.size());
    most = std::max(most, scan.rates.size());
    ++sizes;
  }
  if (sizes == 0) return "no trials";
  const int trials = trials_of(scans, arm);
  const auto edges = edges_of(scans, arm);
  return std::to_string(trials) + (trials == 1 ? " trial" : " trials") + " at " +
         std::to_string(sizes) + (sizes == 1 ? " size" : " sizes") + " (" +
         (fewest == most ? "" : std::to_string(fewest) + " to ") + std::to_string(most) +
         (most == 1 ? " rate each)" : " rates each)") +
         (edges == 0 ? "" : ", the best at an edge at " + std::to_string(edges));
}

std::string tuning_remark(const std::vector<RateScan>& scans, const std::string& a,
                          const std::string& b) {
  if (trials_of(scans, a) == 0 && trials_of(scans, b) == 0) {
    return "Learning rates: no trials of either arm are recorded with these runs; whether both "
           "were tuned alike is not known here, and what is tuned more looks better.";
  }
  return "Learning rates were tuned by " + tuning_text(scans, a) + " of " + a + ", " +
         tuning_text(scans, b) + " of " + b + ".";
}

std::string tuning_warning(const std::vector<RateScan>& scans, const std::string& a,
                           const std::string& b) {
  const int of_a = trials_of(scans, a), of_b = trials_of(scans, b);
  std::string text;
  if (of_a != of_b) {
    text = a + " and " + b + " are tuned unequally (" + std::to_string(of_a) + " and " +
           std::to_string(of_b) + " trials): what is tuned more looks better";
  }
  for (const std::string& arm : {a, b}) {
    const auto edges = edges_of(scans, arm);
    if (edges == 0) continue;
    text += (text.empty() ? "" : "; ") + std::string("the best rate of ") + arm +
            " lies at an edge of those "
            "tried at " +
            std::to_string(edges) + (edges == 1 ? " size" : " sizes") +
            ", a bound and no optimum: a better one may lie beyond";
  }
  return text;
}

}  // namespace scalelaw
