#include "sweeps/plan/nested_data.h"

#include <algorithm>
#include <map>
#include <set>

#include "trainer/data/common_prefix.h"

namespace scalelaw {
namespace {

constexpr std::size_t kMostNamed = 3;

int64_t train_tokens(const DataSetInfo& set) {
  return set.splits.at(Split::kTrain).n_tokens;
}

}  // namespace

std::vector<std::string> nesting_warnings(const Plan& plan, DataSetHeaders& data) {
  std::map<std::string, std::set<std::string>> sets_of_arm;
  for (const PlannedCell& cell : plan.cells) {
    for (const SweepPlace& place : cell.places) {
      sets_of_arm[place.arm].insert(cell.config.data.train);
    }
  }
  std::vector<std::string> texts;
  std::set<std::pair<std::string, std::string>> compared;
  std::vector<std::string> unlike;
  for (const auto& [arm, names] : sets_of_arm) {
    std::vector<const DataSetInfo*> sets;
    for (const std::string& name : names) sets.push_back(&data.open(name));
    std::ranges::stable_sort(sets, {}, [](const DataSetInfo* set) { return train_tokens(*set); });
    // What is a prefix of the next one is one of all that follow.
    for (std::size_t i = 0; i + 1 < sets.size(); ++i) {
      if (!compared.insert({sets[i]->name, sets[i + 1]->name}).second) continue;
      try {
        if (is_prefix(*sets[i], *sets[i + 1], Split::kTrain)) continue;
        unlike.push_back(sets[i]->name + " of " + sets[i + 1]->name);
      } catch (const std::runtime_error& error) {
        texts.push_back("whether " + sets[i]->name + " begins " + sets[i + 1]->name +
                        " is not known: " + error.what());
      }
    }
  }
  if (unlike.empty()) return texts;
  std::string named;
  for (std::size_t i = 0; i < std::min(kMostNamed, unlike.size()); ++i) {
    named += (i == 0 ? "" : ", ") + unlike[i];
  }
  if (unlike.size() > kMostNamed) {
    named += " and " + std::to_string(unlike.size() - kMostNamed) + " more pairs";
  }
  texts.push_back(
      "runs of one arm train on data sets that are not nested (" + named +
      " is no beginning): a law over them mixes text with size; build them from the "
      "same sources and tokenizer with several --tokens, or train on the largest alone");
  return texts;
}

}  // namespace scalelaw
