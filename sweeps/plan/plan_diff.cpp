#include "sweeps/plan/plan_diff.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "sweeps/plan/reports.h"
#include "sweeps/status/text_table.h"
#include "sweeps/tuning/open_cells.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

fs::path record_of_plan(const Plan& plan) {
  return sweep_record_file(plan.options.runs, plan.name);
}

std::string cost_text(const PlannedCell& cell) {
  std::string text;
  if (cell.train_flops) text += human(*cell.train_flops) + " FLOPs";
  if (const auto hours = cell.core_hours ? cell.core_hours : cell.gpu_hours) {
    text += (text.empty() ? "" : ", ") + duration_text(3600 * *hours) + " of one " +
            (cell.core_hours ? "core" : "GPU");
  }
  return text.empty() ? "cost not known" : text;
}

std::string state_text(const Plan& plan, const SweepCell& cell) {
  const fs::path folder = plan.options.runs / cell.folder;
  std::error_code error;
  if (fs::exists(folder / "run.json", error)) return "complete";
  return fs::exists(folder, error) ? "begun" : "never begun";
}

int64_t results(const std::vector<SweepCell>& cells) {
  return std::ranges::count(cells, false, &SweepCell::is_trial);
}

std::string waiting_text(const Plan& plan, const PlanDiff& diff) {
  std::string text = std::to_string(diff.waiting) +
                     (diff.waiting == 1 ? " more waits" : " more wait") + " (at the file's rates " +
                     human(waiting_flops(plan)) + " FLOPs";
  if (const int64_t open = results(diff.open); open > 0) {
    text += "; " + std::to_string(open) + " of the last run's may be among them";
  }
  if (const int64_t trials = std::ssize(diff.open) - results(diff.open); trials > 0) {
    text += "; " + counted(trials, "trial") + " of it may be asked for again";
  }
  return text + ")";
}

std::string open_text(const Plan& plan, const PlanDiff& diff) {
  std::string text;
  for (const SweepCell& cell : diff.open) {
    text += "  ? " + cell.folder + "  " + state_text(plan, cell) + "\n";
  }
  return text;
}

std::map<std::string, std::string> identity_of(const PlannedCell& cell) {
  std::map<std::string, std::string> values;
  for (const auto& [key, value] : canonical_values(cell.config)) {
    if (!key.starts_with("how.") && !key.starts_with("data.test")) values[key] = value;
  }
  return values;
}

// Of each added cell what it has otherwise than those of its stem: "train.learning_rate 0.01".
std::map<std::size_t, std::string> what_differs(const Plan& plan, const PlanDiff& diff) {
  std::map<std::string, std::vector<std::size_t>> of_stem;
  for (const std::size_t cell : diff.added) of_stem[folder_stem(plan.cells[cell].folder)];
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (plan.cells[i].is_provisional()) continue;
    const auto like = of_stem.find(folder_stem(plan.cells[i].folder));
    if (like != of_stem.end()) like->second.push_back(i);
  }
  std::map<std::size_t, std::string> texts;
  for (const auto& [name, cells] : of_stem) {
    std::map<std::string, std::set<std::string>> values_of;  // key -> of all; "" where one has none
    std::vector<std::map<std::string, std::string>> each;
    for (const std::size_t cell : cells) each.push_back(identity_of(plan.cells[cell]));
    for (const auto& values : each) {
      for (const auto& [key, value] : values) values_of[key];
    }
    for (auto& [key, all] : values_of) {
      for (const auto& values : each) all.insert(values.contains(key) ? values.at(key) : "");
    }
    for (std::size_t i = 0; i < cells.size(); ++i) {
      std::string& text = texts[cells[i]];
      for (const auto& [key, value] : each[i]) {
        if (values_of[key].size() > 1)
          text.append(text.empty() ? "" : ", ").append(key + " " + value);
      }
    }
  }
  return texts;
}

}  // namespace

PlanDiff diff_of(const Plan& plan) {
  PlanDiff diff;
  std::error_code error;
  if (!fs::exists(record_of_plan(plan), error)) return diff;
  SweepRecord record;
  try {
    record = read_sweep_record(record_of_plan(plan));
  } catch (const std::runtime_error& fault) {
    throw ConfigError(fault.what());
  }
  diff.has_record = true;
  diff.is_same_file = record.spec_hash == plan.spec_hash;
  diff.had_waiting = record.waiting > 0;
  std::set<std::string> before, now;
  for (const SweepCell& cell : record.cells) before.insert(cell.content_hash);
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (plan.cells[i].is_provisional()) {
      ++diff.waiting;
      continue;
    }
    now.insert(plan.cells[i].content_hash);
    if (!before.contains(plan.cells[i].content_hash)) diff.added.push_back(i);
  }
  OpenCells open(plan, diff.is_same_file);
  for (const SweepCell& cell : record.cells) {
    if (now.contains(cell.content_hash)) continue;
    if (std::optional<SweepCell> taken = open.taken(cell)) {
      diff.open.push_back(*std::move(taken));
    } else {
      diff.gone.push_back(cell);
    }
  }
  // What is open is among the record's waiting cells, or was known when it was written.
  const int64_t waited = std::max(record.waiting, results(diff.open));
  diff.waits_anew = waited != diff.waiting;
  return diff;
}

int64_t staying_cells(const Plan& plan, const PlanDiff& diff) {
  return std::ssize(plan.cells) - std::ssize(diff.added) - diff.waiting;
}

double waiting_flops(const Plan& plan) {
  double flops = 0;
  for (const PlannedCell& cell : plan.cells) {
    if (cell.is_provisional()) flops += cell.train_flops.value_or(0);
  }
  return flops;
}

std::string diff_line(const Plan& plan, const PlanDiff& diff) {
  if (!diff.changes() || diff.is_next_stage()) return "";
  double flops = 0;
  for (const std::size_t cell : diff.added) flops += plan.cells[cell].train_flops.value_or(0);
  const auto phrase = [](int64_t cells, const char* one, const char* several) {
    return std::to_string(cells) + (cells == 1 ? one : several);
  };
  std::string text =
      std::string("changed: since its last run ") +
      (diff.is_same_file ? "(the file is the same; the program, the data or the store has changed) "
                         : "") +
      phrase(staying_cells(plan, diff), " cell stays, ", " cells stay, ") +
      phrase(std::ssize(diff.added), " is new (", " are new (") + human(flops) + " FLOPs), " +
      (diff.waiting > 0 ? waiting_text(plan, diff) + ", " : "") +
      phrase(std::ssize(diff.gone), " is no longer asked for", " are no longer asked for");
  if (!diff.gone.empty()) text += " (what was run stays in the store)";
  return text;
}

std::string diff_text(const Plan& plan, const PlanDiff& diff) {
  const std::string waiting = diff.waiting > 0 ? "; " + waiting_text(plan, diff) : "";
  if (!diff.has_record) {
    return "nothing to compare with: " + record_of_plan(plan).string() +
           " is written by the first run\n";
  }
  if (!diff.changes()) {
    return "unchanged: " + record_of_plan(plan).string() + " holds the same " +
           counted(staying_cells(plan, diff), "cell") + waiting + "\n" + open_text(plan, diff);
  }
  std::string text = diff.is_next_stage()
                         ? "the file is the same; " +
                               counted(static_cast<int64_t>(diff.added.size()), "cell") +
                               " waited for what is known now" + waiting + "\n"
                         : diff_line(plan, diff) + "\n";
  std::map<std::size_t, std::string> differs = what_differs(plan, diff);
  for (const std::size_t cell : diff.added) {
    text += "  + " + plan.cells[cell].folder + "  " + cost_text(plan.cells[cell]);
    text += (differs[cell].empty() ? "" : "  (" + differs[cell] + ")") + "\n";
  }
  for (const SweepCell& cell : diff.gone) {
    text += "  - " + cell.folder + "  " + state_text(plan, cell) + "\n";
  }
  return text + open_text(plan, diff);
}

}  // namespace scalelaw
