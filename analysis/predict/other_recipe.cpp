#include "analysis/predict/other_recipe.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "trainer/number.h"

namespace scalelaw {
namespace {

struct Values {
  std::set<std::string> texts;
  std::map<double, std::set<double>> by_n, by_d;  // of numbers
};

// What the runs have of a key; nullopt where that is not known of one.
std::optional<Values> values_of(const RunTable& runs, const std::string& key, NCount n_count,
                                const Recipes& recipes) {
  Values values;
  for (const RunRow& row : runs.rows) {
    const auto recipe = recipes.find(row.record.content_hash);
    if (recipe == recipes.end()) return std::nullopt;
    const auto found = recipe->second.find(key);
    if (found == recipe->second.end()) return std::nullopt;
    values.texts.insert(found->second);
    if (const std::optional<double> number = parse_real(found->second)) {
      values.by_n[row.n(n_count)].insert(*number);
      values.by_d[row.d_tokens()].insert(*number);
    }
  }
  return values;
}

// Whether a cell's number is one of a law of what `values` belong to, sizes or tokens, as that of a
// batch is: the runs' go one way from the smallest to the largest, three or more of them different,
// some equal for the law's rounding, and the cell's goes on so: between its neighbours', equal to
// those of its own place, beyond the last no faster than they ever went, but for a factor of
// kRounding.
constexpr std::size_t kFewestOfALaw = 3;
constexpr double kRounding = 2;

bool follow(const std::map<double, std::set<double>>& values, double at, double value) {
  std::map<double, double> ln_of;  // of the place: of the number there
  std::set<double> different;
  for (const auto& [place, of_place] : values) {
    const double number = *of_place.begin();
    if (of_place.size() > 1 || number <= 0) return false;
    different.insert(number);
    ln_of[std::log(place)] = std::log(number);
  }
  if (different.size() < kFewestOfALaw || 2 * different.size() < values.size() || value <= 0) {
    return false;
  }
  const auto number = [](const auto& entry) { return entry.second; };
  const bool rises = std::ranges::is_sorted(ln_of, {}, number);
  if (!rises && !std::ranges::is_sorted(ln_of, std::greater(), number)) return false;
  const double here = std::log(at), ln_value = std::log(value);
  const auto next = ln_of.lower_bound(here);
  if (next != ln_of.end() && next->first == here) return next->second == ln_value;
  const auto in_order = [&](double before, double after) {
    return rises ? before <= after : before >= after;
  };
  const bool has_before = next != ln_of.begin(), has_after = next != ln_of.end();
  if (has_before && !in_order(std::prev(next)->second, ln_value)) return false;
  if (has_after && !in_order(ln_value, next->second)) return false;
  if (has_before && has_after) return true;
  double steepest = 0;
  for (auto one = ln_of.begin(), after = std::next(one); after != ln_of.end(); ++one, ++after) {
    steepest =
        std::max(steepest, std::abs(after->second - one->second) / (after->first - one->first));
  }
  const auto& [last_place, last] = has_before ? *std::prev(next) : *next;
  return std::abs(ln_value - last) <= steepest * std::abs(here - last_place) + std::log(kRounding);
}

}  // namespace

std::string other_recipe(const PredictedCell& cell, const HeldOut& held, const RunTable& runs,
                         NCount n_count, const Recipes& recipes) {
  std::string keys;
  if (const auto own = recipes.find(cell.content_hash); own != recipes.end()) {
    for (const auto& [key, value] : own->second) {
      const std::optional<Values> theirs = values_of(runs, key, n_count, recipes);
      if (!theirs || theirs->texts.empty() || theirs->texts.contains(value)) continue;
      const std::optional<double> number = parse_real(value);
      if (number &&
          (follow(theirs->by_n, cell.n, *number) || follow(theirs->by_d, cell.d, *number)))
        continue;
      std::string all;
      for (const std::string& text : theirs->texts) all += (all.empty() ? "" : ", ") + text;
      keys += (keys.empty() ? "has " : ", ") + key + " " + value + " (they " + all + ")";
    }
  }
  if (!keys.empty() || held.recipe_hash.empty()) return keys;
  const auto other = std::ranges::find_if(runs.rows, [&](const RunRow& row) {
    return row.n(n_count) == cell.n && row.d_tokens() == cell.d &&
           row.record.recipe_hash != held.recipe_hash;
  });
  if (other == runs.rows.end()) return "";
  return "has the N and D of " + other->folder_name + " and differs from it in more than seeds";
}

std::string transfer_in_words(const PredictedCell& cell) {
  return "another recipe: against the runs used it " + cell.other_recipe +
         "; their law is carried over to it";
}

}  // namespace scalelaw
