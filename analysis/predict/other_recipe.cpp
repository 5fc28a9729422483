#include "analysis/predict/other_recipe.h"

#include <algorithm>
#include <optional>

namespace scalelaw {
namespace {

// nullopt: they have several, or what they have is not known.
std::optional<std::string> value_of_all(const RunTable& runs, const std::string& key,
                                        const Recipes& recipes) {
  std::optional<std::string> value;
  for (const RunRow& row : runs.rows) {
    const auto recipe = recipes.find(row.record.content_hash);
    if (recipe == recipes.end()) return std::nullopt;
    const auto found = recipe->second.find(key);
    if (found == recipe->second.end() || (value && *value != found->second)) return std::nullopt;
    value = found->second;
  }
  return value;
}

}  // namespace

std::string other_recipe(const PredictedCell& cell, const HeldOut& held, const RunTable& runs,
                         NCount n_count, const Recipes& recipes) {
  std::string keys;
  if (const auto own = recipes.find(cell.content_hash); own != recipes.end()) {
    for (const auto& [key, value] : own->second) {
      const std::optional<std::string> theirs = value_of_all(runs, key, recipes);
      if (!theirs || *theirs == value) continue;
      keys += (keys.empty() ? "has " : ", ") + key + " " + value + " (they " + *theirs + ")";
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
