#include "analysis/predict/other_recipe.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "trainer/number.h"

namespace scalelaw {
namespace {

// What the runs have of a key, by size; nullopt where that is not known of one.
std::optional<std::multimap<double, std::string>> values_by_size(const RunTable& runs,
                                                                 const std::string& key,
                                                                 NCount n_count,
                                                                 const Recipes& recipes) {
  std::multimap<double, std::string> values;
  for (const RunRow& row : runs.rows) {
    const auto recipe = recipes.find(row.record.content_hash);
    if (recipe == recipes.end()) return std::nullopt;
    const auto found = recipe->second.find(key);
    if (found == recipe->second.end()) return std::nullopt;
    values.emplace(row.n(n_count), found->second);
  }
  return values;
}

// Numbers that rise, or fall, with each size: as a law of the batch has them.
bool follows_size(const std::multimap<double, std::string>& values) {
  std::map<double, double> of_size;
  for (const auto& [n, text] : values) {
    const std::optional<double> number = parse_real(text);
    if (!number) return false;
    const auto [at, is_new] = of_size.emplace(n, *number);
    if (!is_new && at->second != *number) return false;
  }
  const auto not_above = [](const auto& a, const auto& b) { return a.second >= b.second; };
  const auto not_below = [](const auto& a, const auto& b) { return a.second <= b.second; };
  return of_size.size() > 1 && (std::ranges::adjacent_find(of_size, not_above) == of_size.end() ||
                                std::ranges::adjacent_find(of_size, not_below) == of_size.end());
}

}  // namespace

std::string other_recipe(const PredictedCell& cell, const HeldOut& held, const RunTable& runs,
                         NCount n_count, const Recipes& recipes) {
  std::string keys;
  if (const auto own = recipes.find(cell.content_hash); own != recipes.end()) {
    for (const auto& [key, value] : own->second) {
      const auto theirs = values_by_size(runs, key, n_count, recipes);
      if (!theirs || follows_size(*theirs)) continue;
      std::set<std::string> each;
      for (const auto& [n, text] : *theirs) each.insert(text);
      if (each.empty() || each.contains(value)) continue;
      std::string all;
      for (const std::string& text : each) all += (all.empty() ? "" : ", ") + text;
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
