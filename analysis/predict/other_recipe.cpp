#include "analysis/predict/other_recipe.h"

#include <algorithm>
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

// Numbers that go one way from the smallest of what they belong to, sizes or tokens, to the
// largest, as those of a law of the batch do, some of them equal for its rounding, and on to the
// cell's.
bool follow(const std::map<double, std::set<double>>& values, double at, double value) {
  std::set<double> different;
  for (const auto& [place, of_place] : values) {
    if (of_place.size() > 1) return false;
    different.insert(*of_place.begin());
  }
  if (different.size() < 2 || 2 * different.size() < values.size()) return false;
  const auto number = [](const auto& entry) { return *entry.second.begin(); };
  const bool rises = std::ranges::is_sorted(values, {}, number);
  if (!rises && !std::ranges::is_sorted(values, std::greater(), number)) return false;
  const auto next = values.lower_bound(at);
  const auto in_order = [&](double before, double after) {
    return rises ? before <= after : before >= after;
  };
  return (next == values.begin() || in_order(number(*std::prev(next)), value)) &&
         (next == values.end() || in_order(value, number(*next)));
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
