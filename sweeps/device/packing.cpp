#include "sweeps/device/packing.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "sweeps/device/pack_size.h"
#include "sweeps/device/start_order.h"
#include "sweeps/plan/reports.h"
#include "sweeps/status/cell_limits.h"
#include "trainer/checkpoint_files.h"
#include "trainer/pack_rules.h"
#include "trainer/step_choice.h"

namespace scalelaw {
namespace {

// The real one's size is known to `train` alone.
constexpr double kAssumedGpuBytes = 16e9;
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

// Of cells that were one pack before: the composition is kept where nobody asks for another, as a
// CPU does of which nothing was measured.
std::size_t kept_replicas(const PlanOptions& options) {
  const Workers& workers = options.workers;
  if (workers.replicas > 0) return static_cast<std::size_t>(workers.replicas);
  return workers.device == DeviceKind::kCpu && !options.throughput ? 1 : kNoLimit;
}

class Packer {
 public:
  enum class Store { kLookedAt, kLeftAside };  // what has begun, and what was too large

  Packer(const Plan& plan, std::vector<std::size_t> order, Store store)
      : plan_(plan), order_(std::move(order)) {
    const bool looks = store == Store::kLookedAt;
    if (looks) limits_ = read_limits(sweep_folder(plan.options.runs, plan.name));
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const PlannedCell& cell = plan.cells[order_[i]];
      rank_of_[order_[i]] = i;
      cell_of_[cell.content_hash] = order_[i];
      histories_[order_[i]] = looks ? history_of(cell) : History{};
    }
  }

  std::vector<PlannedPack> packs() {
    group();
    const std::vector<std::size_t> replicas = chosen_replicas(device());
    for (std::size_t i = 0; i < groups_.size(); ++i) add(groups_[i], replicas[i]);
    const auto rank = [this](const PlannedPack& pack) {
      std::size_t least = order_.size();
      for (const std::size_t cell : pack) least = std::min(least, rank_of_.at(cell));
      return least;
    };
    std::sort(packs_.begin(), packs_.end(),
              [&](const PlannedPack& a, const PlannedPack& b) { return rank(a) < rank(b); });
    return std::move(packs_);
  }

  bool would_take_more_replicas() {
    group();
    const Throughput measured = device();
    const std::vector<std::size_t> now = chosen_replicas(measured);
    const std::vector<std::size_t> then =
        chosen_replicas(measured.with_most_replicas(2 * measured.most_replicas()));
    return std::ranges::mismatch(now, then, std::greater_equal()).in1 != now.end();
  }

 private:
  struct History {
    std::vector<std::string> pack;  // that its newest checkpoint names; empty: it has none
    bool alone = false;             // nobody may share its fate
    bool has_folder = false;
  };

  Throughput device() const {
    const PlanOptions& options = plan_.options;
    return options.throughput ? *options.throughput
                              : Throughput::unmeasured(options.workers.device);
  }

  // What was a pack before is one; the others stand in groups that may be divided.
  void group() {
    for (const std::size_t cell : order_) {
      const History& history = histories_.at(cell);
      if (packed(cell) || history.pack.empty()) continue;
      for (const PlannedPack& kept : able_to_share(left_of(history.pack))) {
        std::size_t most = kept_replicas(plan_.options);
        for (const std::size_t each : kept) most = std::min(most, most_together(each));
        add(kept, most);
      }
    }
    for (const std::size_t cell : order_) {
      if (!packed(cell)) join_group(cell);
    }
  }

  History history_of(const PlannedCell& cell) const {
    History history;
    if (cell.is_provisional()) return history;  // its folder is another run's
    try {
      const RunFolder folder{run_folder(plan_, cell)};
      history.has_folder = std::filesystem::exists(folder.path);
      history.alone = look_at(plan_, cell, {}).needs_hand;
      if (history.alone) return history;
      history.pack = checkpoint_pack(folder);
      const auto own = std::find(history.pack.begin(), history.pack.end(), cell.content_hash);
      history.alone = !history.pack.empty() && own == history.pack.end();
    } catch (const std::runtime_error&) {
      history.alone = true;  // the trainer says why
    }
    if (history.alone) history.pack.clear();
    return history;
  }

  std::size_t most_together(std::size_t cell) const {
    return limits_of(limits_, plan_.cells[cell]).most_together;
  }

  // Most runs in a pack of each group.
  std::vector<std::size_t> chosen_replicas(const Throughput& device) const {
    const PlanOptions& options = plan_.options;
    const Workers& workers = options.workers;
    std::vector<AlikeRuns> alike;
    std::vector<std::size_t> most;
    for (const PlannedPack& group : groups_) {
      const PlannedCell& cell = plan_.cells[group.front()];
      most.push_back(most_together(group.front()));
      if (workers.replicas > 0) {
        most.back() = std::min(most.back(), static_cast<std::size_t>(workers.replicas));
        continue;
      }
      alike.push_back({.run = request_for(cell.config, cell.shape, /*replicas=*/1),
                       .runs = std::ssize(group),
                       .steps = cell.steps,
                       .most_replicas = static_cast<int64_t>(std::min(group.size(), most.back()))});
    }
    if (workers.replicas > 0) return most;
    const bool on_cpu = workers.device == DeviceKind::kCpu;
    const double memory = on_cpu ? options.memory_bytes : kAssumedGpuBytes;
    const std::vector<int64_t> chosen =
        choose_replicas(device, alike,
                        {.devices = std::ssize(workers.gpus) * (on_cpu ? workers.jobs : 1),
                         .most_processes = on_cpu ? 1 : workers.jobs,
                         .other_packs = std::ssize(packs_),
                         .memory_bytes = memory / workers.jobs});
    return {chosen.begin(), chosen.end()};
  }

  bool packed(std::size_t cell) const { return packed_.contains(cell); }

  // How steps are made is no part of what a run is, and may have changed since.
  std::vector<PlannedPack> able_to_share(const PlannedPack& cells) const {
    std::vector<PlannedPack> packs;
    for (const std::size_t cell : cells) {
      const auto fits = [&](const PlannedPack& pack) {
        const RunConfig& first = plan_.cells[pack.front()].config;
        return key_against_sharing(plan_.cells[cell].config, first).empty();
      };
      const auto found = std::find_if(packs.begin(), packs.end(), fits);
      if (found == packs.end()) {
        packs.push_back({cell});
      } else {
        found->push_back(cell);
      }
    }
    return packs;
  }

  // A pack killed while it wrote its first checkpoints has members with a folder and no checkpoint:
  // all or none. One whose folder is gone begins anew by itself.
  PlannedPack left_of(const std::vector<std::string>& hashes) const {
    PlannedPack begun, all;
    for (const std::string& hash : hashes) {
      const auto found = cell_of_.find(hash);
      if (found == cell_of_.end() || packed(found->second)) continue;
      const History& history = histories_.at(found->second);
      if (history.pack == hashes) begun.push_back(found->second);
      const bool only_begun = history.pack.empty() && !history.alone && history.has_folder;
      if (history.pack == hashes || only_begun) {
        all.push_back(found->second);
      }
    }
    return all.size() == hashes.size() ? all : begun;
  }

  void join_group(std::size_t cell) {
    if (histories_.at(cell).alone) {
      groups_.push_back({cell});
      return;
    }
    const PlannedCell& planned = plan_.cells[cell];
    std::vector<std::size_t>& alike =
        alike_[{planned.shape.n_layer, planned.shape.d_model, planned.steps, most_together(cell)}];
    for (const std::size_t group : alike) {
      const RunConfig& other = plan_.cells[groups_[group].front()].config;
      if (!key_against_sharing(planned.config, other).empty()) continue;
      groups_[group].push_back(cell);
      return;
    }
    alike.push_back(groups_.size());
    groups_.push_back({cell});
  }

  void add(const PlannedPack& cells, std::size_t most) {
    const std::size_t count = cells.size() / most + (cells.size() % most > 0 ? 1 : 0);
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = [&](std::size_t part) {
        return cells.begin() + static_cast<std::ptrdiff_t>(part * cells.size() / count);
      };
      packs_.emplace_back(at(i), at(i + 1));
      packed_.insert(at(i), at(i + 1));
    }
  }

  // Layers, width, steps; as many as they were found to stand beside each other.
  using Likeness = std::tuple<int64_t, int64_t, int64_t, std::size_t>;

  const Plan& plan_;
  std::vector<std::size_t> order_;
  SweepLimits limits_;
  std::unordered_map<std::size_t, std::size_t> rank_of_;
  std::unordered_map<std::string, std::size_t> cell_of_;  // by content hash
  std::unordered_map<std::size_t, History> histories_;
  std::vector<PlannedPack> groups_, packs_;
  std::map<Likeness, std::vector<std::size_t>> alike_;  // groups worth a comparison
  std::set<std::size_t> packed_;
};

std::vector<std::size_t> able_to_start(const Plan& plan, const std::vector<CellStatus>& statuses) {
  std::vector<std::size_t> cells;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (may_start(statuses[i])) cells.push_back(i);
  }
  return cells;
}

}  // namespace

std::vector<PlannedPack> pack_cells(const Plan& plan, const std::vector<std::size_t>& cells) {
  std::vector<std::size_t> order = start_order(plan, cells);
  if (kept_replicas(plan.options) > 1) {
    return Packer(plan, std::move(order), Packer::Store::kLookedAt).packs();
  }
  std::vector<PlannedPack> alone;
  for (const std::size_t cell : order) alone.push_back({cell});
  return alone;
}

std::vector<PlannedPack> packs_of(const Plan& plan, Stage stage) {
  std::vector<std::size_t> cells;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (plan.cells[i].stage() == stage) cells.push_back(i);
  }
  return Packer(plan, start_order(plan, std::move(cells)), Packer::Store::kLeftAside).packs();
}

std::vector<PlannedPack> packs_to_run(const Plan& plan, const std::vector<CellStatus>& statuses) {
  return pack_cells(plan, able_to_start(plan, statuses));
}

bool are_limited_by_what_was_measured(const Plan& plan, const std::vector<CellStatus>& statuses) {
  const PlanOptions& options = plan.options;
  if (!options.throughput || options.workers.replicas > 0 ||
      options.workers.device == DeviceKind::kCpu) {
    return false;
  }
  return Packer(plan, able_to_start(plan, statuses), Packer::Store::kLookedAt)
      .would_take_more_replicas();
}

std::string packs_text(const std::vector<PlannedPack>& packs) {
  int64_t alone = 0, shared = 0;
  std::size_t least = kNoLimit, most = 0;
  for (const PlannedPack& pack : packs) {
    (pack.size() == 1 ? alone : shared) += 1;
    if (pack.size() == 1) continue;
    least = std::min(least, pack.size());
    most = std::max(most, pack.size());
  }
  std::string text;
  if (shared > 0) {
    text = counted(shared, "pack") + " of " + (least < most ? std::to_string(least) + " to " : "") +
           counted(static_cast<int64_t>(most), "run");
  }
  if (alone > 0) text += (text.empty() ? "" : ", ") + counted(alone, "run") + " alone";
  return text;
}

}  // namespace scalelaw
