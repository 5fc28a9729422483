#include "sweeps/status/law_glance.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "sweeps/status/text_table.h"
#include "trainer/config_keys.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr std::size_t kLeastSizes = 3;

// The keys that tell runs of one group and size apart, but for their seeds.
std::vector<const KeyAccess*> recipe_keys(const Plan& plan) {
  std::vector<const KeyAccess*> keys;
  for (const KeyAccess& access : key_table()) {
    const bool is_swept = std::ranges::find(plan.swept, access.key.name) != plan.swept.end();
    if (is_swept && !access.key.name.starts_with("seeds.")) keys.push_back(&access);
  }
  return keys;
}

void fit_line(LawGlance& law) {
  const auto n = static_cast<double>(law.points.size());
  if (law.points.size() < kLeastSizes) return;
  double x_mean = 0, y_mean = 0;
  for (const GlancePoint& point : law.points) {
    x_mean += std::log(point.n_params) / n;
    y_mean += std::log(point.loss_nats) / n;
  }
  double sxx = 0, sxy = 0, residual = 0;
  for (const GlancePoint& point : law.points) {
    const double x = std::log(point.n_params) - x_mean, y = std::log(point.loss_nats) - y_mean;
    sxx += x * x;
    sxy += x * y;
  }
  const double rise = sxy / sxx;
  for (const GlancePoint& point : law.points) {
    const double x = std::log(point.n_params) - x_mean, y = std::log(point.loss_nats) - y_mean;
    residual += (y - rise * x) * (y - rise * x);
  }
  law.slope = -rise;
  law.standard_error = std::sqrt(residual / (n - 2) / sxx);
}

// Of the groups of an arm: the one of most sizes, where none has a slope.
bool is_worth_a_line(const LawGlance& law, const std::map<std::string, std::size_t>& most) {
  return law.slope || (!law.points.empty() && law.points.size() == most.at(law.arm));
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string rounded(const std::optional<double>& value) {
  char text[32] = "-";
  if (value) std::snprintf(text, sizeof text, "%.3f", *value);
  return text;
}

bool is_one_an_arm(const std::vector<LawGlance>& laws) {
  std::set<std::string> arms;
  return std::ranges::all_of(laws,
                             [&](const LawGlance& law) { return arms.insert(law.arm).second; });
}

std::vector<std::string> law_sentences(const std::vector<LawGlance>& laws) {
  const bool arm_alone = is_one_an_arm(laws);
  std::vector<std::string> lines;
  for (const LawGlance& law : laws) {
    std::string line = or_dash(law.arm);
    if (!arm_alone) {
      line += ", " + or_dash(law.block) + ", D " + human(static_cast<double>(law.train_tokens));
    }
    line += law.slope ? ": L ~ N^" + rounded(-*law.slope) + ", s.e. " + rounded(law.standard_error)
                      : ": no slope, sizes: " + std::to_string(law.points.size());
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

LawGlances::LawGlances(const Plan& plan) : plan_(plan) {
  using Group = std::tuple<std::string, std::string, int64_t, std::string>;
  std::map<Group, std::size_t> groups;
  std::map<std::string, std::size_t> recipes;
  const std::vector<const KeyAccess*> keys = recipe_keys(plan);
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const PlannedCell& cell = plan.cells[i];
    if (cell.n_params.value_or(0) <= 0 || cell.is_trial) continue;
    std::string values;
    for (const KeyAccess* key : keys) values += key->get(cell.config) + "\n";
    const std::size_t recipe = recipes.emplace(values, recipes.size()).first->second;
    for (const SweepPlace& place : cell.places) {
      const auto [group, is_new] = groups.emplace(
          Group{place.arm, place.block, cell.train_tokens, cell.config.data.train}, groups_.size());
      if (is_new) groups_.push_back({place.arm, place.block, cell.train_tokens, 0, {}, {}, {}});
      members_.push_back({group->second, recipe, i});
    }
  }
  const auto key = [&](const Member& member) {
    return std::tuple(member.group, *plan_.cells[member.cell].n_params, member.recipe, member.cell);
  };
  std::ranges::sort(members_, {}, key);
  const auto is_same = [&](const Member& a, const Member& b) { return key(a) == key(b); };
  members_.erase(std::unique(members_.begin(), members_.end(), is_same),  // merged equal cells
                 members_.end());
}

std::vector<LawGlance> LawGlances::of(const std::vector<CellStatus>& statuses) const {
  std::vector<LawGlance> laws = groups_;
  const auto kind = [&](const Member& member) {
    return std::tuple(member.group, *plan_.cells[member.cell].n_params, member.recipe);
  };
  double sum = 0;
  int64_t seeds = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Member& member = members_[i];
    const double n_params = *plan_.cells[member.cell].n_params;
    const double loss = statuses[member.cell].loss_nats.value_or(0);
    if (statuses[member.cell].state == CellState::kComplete && std::isfinite(loss) && loss > 0) {
      sum += loss;
      ++seeds;
    }
    const bool is_last = i + 1 == members_.size() || kind(members_[i + 1]) != kind(member);
    if (!is_last) continue;
    if (seeds > 0) {
      LawGlance& law = laws[member.group];
      law.runs += seeds;
      const double mean = sum / static_cast<double>(seeds);
      if (law.points.empty() || law.points.back().n_params != n_params) {
        law.points.push_back({n_params, mean});
      }
      law.points.back().loss_nats = std::min(law.points.back().loss_nats, mean);
    }
    sum = 0;
    seeds = 0;
  }
  std::map<std::string, std::size_t> most;
  for (LawGlance& law : laws) {
    fit_line(law);
    most[law.arm] = std::max(most[law.arm], law.points.size());
  }
  std::erase_if(laws, [&](const LawGlance& law) { return !is_worth_a_line(law, most); });
  return laws;
}

std::vector<std::string> law_lines(const Plan& plan, const std::vector<LawGlance>& laws,
                                   int columns) {
  if (laws.empty()) return {};
  std::vector<std::vector<std::string>> rows = {
      {"arm", "block", "D", "L ~ N^-", "s.e.", "sizes", "runs", "N", "loss"}};
  for (const LawGlance& law : laws) {
    const GlancePoint &first = law.points.front(), &last = law.points.back();
    const bool is_one = law.points.size() == 1;
    rows.push_back(
        {or_dash(law.arm), or_dash(law.block), human(static_cast<double>(law.train_tokens)),
         rounded(law.slope), rounded(law.standard_error), std::to_string(law.points.size()),
         std::to_string(law.runs),
         human(first.n_params) + (is_one ? "" : " .. " + human(last.n_params)),
         loss_text(first.loss_nats) + (is_one ? "" : " .. " + loss_text(last.loss_nats))});
  }
  std::vector<std::string> lines = {"law forming (N " + std::string(name(plan.options.n_count)) +
                                    "): a glance, `scalelaw fit` is the analysis"};
  const std::vector<bool> right = {false, false, true, true, true, true, true, true, true};
  std::vector<std::size_t> dropped = {8, 7, 6, 5};
  if (is_one_an_arm(laws)) dropped.insert(dropped.end(), {2, 1});
  std::vector<std::string> table = aligned_within(columns - 2, rows, right, dropped);
  if (!fit_within(columns - 2, table)) table = law_sentences(laws);
  for (const std::string& line : table) lines.push_back("  " + line);
  return lines;
}

}  // namespace scalelaw
