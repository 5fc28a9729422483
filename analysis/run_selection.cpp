// What of a run table one fit of loss against N may use.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "analysis/exclude_where.h"
#include "analysis/horizon.h"
#include "analysis/number_text.h"
#include "analysis/run_table.h"
#include "analysis/text_bytes.h"
#include "trainer/config_error.h"
#include "trainer/number.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

void require_rows(const RunTable& table, const std::string& what, const std::string& advice) {
  if (!table.rows.empty()) return;
  std::string message =
      "no " + what + " among " + std::to_string(table.excluded.size()) + " runs of " + table.source;
  for (std::size_t i = 0; i < std::min<std::size_t>(table.excluded.size(), 5); ++i) {
    message +=
        (i == 0 ? ": " : "; ") + table.excluded[i].folder_name + ": " + table.excluded[i].reason;
  }
  throw ConfigError(message + advice);
}

std::string in_a_list(const std::set<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list.append(list.empty() ? "" : ", ").append(word);
  return list;
}

std::set<std::string> test_sets(const RunTable& table) {
  std::set<std::string> names;
  for (const RunRow& row : table.rows) {
    for (const auto& [name, result] : row.record.test) names.insert(name);
  }
  return names;
}

std::string default_test_set(const RunTable& table) {
  const std::set<std::string> names = test_sets(table);
  if (names.size() == 1) return *names.begin();
  const std::string& trained_on = table.rows.front().record.train_set;
  if (names.count(trained_on) != 0) return trained_on;
  throw ConfigError(
      "several test sets and none of the training text: choose one with --test-set: " +
      in_a_list(names));
}

void refuse_unknown_test_set(const RunTable& table, const std::string& test_set) {
  const std::set<std::string> names = test_sets(table);
  if (names.count(test_set) != 0) return;
  throw ConfigError("--test-set " + test_set + ": no run has a result on it; there is " +
                    in_a_list(names));
}

// A model that says nothing of the text, every token alike, has ln(n_vocab).
std::string worse_than_guessing(const RunRow& row, const std::string& test_set) {
  if (row.record.shape.n_vocab == 0) return "";  // a table tells none
  const double loss = row.record.test.at(test_set).loss_nats;
  const double guessing = std::log(static_cast<double>(row.record.shape.n_vocab));
  if (loss <= guessing) return "";
  return "its loss of " + human(loss) +
         " nats per token is above ln(n_vocab) = " + fixed(guessing, 2) + ": worse than guessing";
}

// A law is of one tokenizer and one pair of texts. Between tokenizers hashes of tokens say nothing
// about the text.
std::string what_differs(const RunRow& first, const RunRow& row, const Selection& selection) {
  std::string tests = different_tests(first, row, selection);
  if (!tests.empty()) return tests;
  if (first.record.tokenizer_hash != row.record.tokenizer_hash) return "";
  if (first.record.train_hash != row.record.train_hash) {
    return "were trained on different texts (" + first.record.train_set + " and " +
           row.record.train_set + ")";
  }
  return "";
}

void refuse_mixed_texts_in_an_arm(const RunTable& table, const Selection& selection) {
  for (const RunRow& row : table.rows) {
    for (const RunRow& other : table.rows) {
      if (&other == &row) break;  // those before it suffice
      if (other.arm != row.arm) continue;
      const std::string what = what_differs(other, row, selection);
      if (what.empty()) continue;
      throw ConfigError("arm " + row.arm + ": runs " + other.folder_name + " and " +
                        row.folder_name + " " + what +
                        ": they belong to no common law; name the folders of the runs of one text "
                        "only, or give each its own arm in the sweep file");
    }
  }
}

// Once arms are grouped: a run that two of the grouped arms share is one run of the group.
void drop_repeated_runs(RunTable& table) {
  std::set<std::pair<std::string, std::string>> seen;
  std::erase_if(table.rows, [&](const RunRow& row) {
    return !seen.emplace(row.arm, row.record.content_hash).second;
  });
}

void refuse_mixed_recipes(const RunTable& table, NCount n_count) {
  for (const std::string& arm : table.arms()) {
    const std::string mixed = mixed_recipes(table, arm, n_count);
    if (mixed.empty()) continue;
    throw ConfigError("arm " + arm + " has " + mixed +
                      "; name the folders of one of them only (of a table: --where), or give each "
                      "its own arm (of a sweep: in the sweep file)");
  }
}

void refuse_mixed_learning_rates(const RunTable& table, NCount n_count) {
  std::map<std::tuple<std::string, double, int64_t, int64_t, double>, std::set<double>> rates;
  for (const RunRow& row : table.rows) {
    const auto first = std::find_if(table.rows.begin(), table.rows.end(),
                                    [&](const RunRow& other) { return same_horizon(row, other); });
    rates[{row.arm, row.n(row.tabled ? n_count : NCount::kTotal), row.record.shape.n_layer,
           row.record.shape.d_model, first->d_tokens()}]
        .insert(row.record.learning_rate);
  }
  for (const auto& [size, values] : rates) {
    if (values.size() < 2) continue;
    std::string list;
    for (const double value : values)
      list.append(list.empty() ? "" : ", ").append(canonical(value));
    throw ConfigError("arm " + std::get<0>(size) + " has runs of " + human(std::get<1>(size)) +
                      " parameters with several learning rates (" + list +
                      "): replicates over rates are not seeds; name the runs of one rate a size "
                      "(of a table: --where), or give each rate its own arm");
  }
}

template <typename Value>
void warn_where_mixed(RunTable& table, const std::string& what, const Value& value) {
  std::set<std::string> values;
  for (const RunRow& row : table.rows) values.insert(value(row));
  if (values.size() < 2) return;
  std::string list;
  for (const std::string& v : values) list.append(list.empty() ? "" : ", ").append(v);
  table.warnings.push_back("the runs differ in " + what + " (" + list +
                           "): the fit mixes that difference with size");
}

void warn_where_repeated(RunTable& table) {
  std::size_t repeating = 0;
  double most = 0;
  for (const RunRow& row : table.rows) {
    const int64_t unique = row.record.unique_train_tokens;
    if (unique <= 0 || row.record.train_tokens <= unique) continue;
    ++repeating;
    most = std::max(most, row.d_tokens() / static_cast<double>(unique));
  }
  if (repeating == 0) return;
  table.warnings.push_back(std::to_string(repeating) + " of " + std::to_string(table.rows.size()) +
                           " runs read their training text more than once, up to " + human(most) +
                           " times: a law of N and D takes every token of D for a new one");
}

std::vector<float> read_window_losses(const RunRow& row, const std::string& test_set) {
  try {
    const SafetensorsFile file(row.folder.window_losses());
    const SafetensorView& view = file.at(test_set);
    if (view.dtype != "F32" || view.bytes.empty()) return {};
    std::vector<float> losses(view.bytes.size() / sizeof(float));
    std::memcpy(losses.data(), view.bytes.data(), losses.size() * sizeof(float));
    return losses;
  } catch (const std::runtime_error&) {
    return {};  // the laws stand without them
  }
}

}  // namespace

std::string different_tests(const RunRow& a, const RunRow& b, const Selection& selection) {
  const TestResult &one = a.record.test.at(selection.test_set),
                   &two = b.record.test.at(selection.test_set);
  const bool per_byte = selection.metric == LossMetric::kBitsPerByte;
  if (a.record.tokenizer_hash != b.record.tokenizer_hash) {
    if (per_byte && a.tabled) return "";
    if (per_byte) return different_text_bytes(one, two, selection.test_set);
    return "have different tokenizers, so their losses per token are of different units (--metric "
           "bits_per_byte is of one)";
  }
  if (a.tabled) return "";  // all that a table tells
  if (one.token_hash != two.token_hash) {
    return "were tested on different texts, both named " + selection.test_set;
  }
  if (one.tokens != two.tokens) {
    return "were tested on " + std::to_string(one.tokens) + " and " + std::to_string(two.tokens) +
           " tokens of " + selection.test_set;
  }
  return per_byte ? different_text_bytes(one, two, selection.test_set) : "";
}

std::string mixed_recipes(const RunTable& table, const std::string& arm, NCount n_count) {
  std::map<double, std::vector<const RunRow*>> of_size;  // the first of each D
  for (const RunRow& row : table.rows) {
    if (row.arm != arm || !(row.n(n_count) > 0)) continue;
    std::vector<const RunRow*>& firsts = of_size[row.n(n_count)];
    const auto found = std::find_if(firsts.begin(), firsts.end(),
                                    [&](const RunRow* first) { return same_horizon(*first, row); });
    if (found == firsts.end()) {
      firsts.push_back(&row);
      continue;
    }
    const RunRow& other = **found;
    if (other.record.recipe_hash == row.record.recipe_hash) continue;
    return "two recipes of N = " + human(row.n(n_count)) + " (" + std::string(name(n_count)) +
           "): " + other.folder_name + " and " + row.folder_name +
           " differ in more than their seeds, so they are not replicates";
  }
  return "";
}

void keep_usable_runs(RunTable& table, Selection& selection) {
  if (table.tabled) {
    require_rows(table, "row with all its numbers", "");
  } else {
    require_rows(table, "complete run",
                 ". Finish the runs first: `scalelaw sweep run SPEC` resumes where it stopped, "
                 "`scalelaw sweep status SPEC` says what is missing.");
  }
  if (selection.by == ArmGrouping::kArchitecture) {
    for (RunRow& row : table.rows) row.arm = row.record.shape.arch;
    drop_repeated_runs(table);
  }
  if (selection.test_set.empty()) selection.test_set = default_test_set(table);
  refuse_unknown_test_set(table, selection.test_set);
  take_text_bytes(table, selection);
  exclude_where(table, [&](const RunRow& row) -> std::string {
    const auto result = row.record.test.find(selection.test_set);
    if (result == row.record.test.end()) return "has no result on test set " + selection.test_set;
    const double loss = row.loss(selection.test_set, selection.metric);
    if (!row.tabled && std::isnan(loss) && std::isfinite(result->second.loss_nats)) {
      return why_no_bits_per_byte(result->second, selection.test_set);
    }
    if (!std::isfinite(loss) || loss <= 0) return "its final loss is not a positive number";
    if (!(row.n(selection.n_count) > 0)) {
      return "has no parameters by the convention " + std::string(name(selection.n_count));
    }
    return worse_than_guessing(row, selection.test_set);
  });
  require_rows(table, "usable run", "");
}

void select_runs(RunTable& table, Selection& selection, Horizons horizons) {
  keep_usable_runs(table, selection);
  if (horizons == Horizons::kOne) keep_horizon(table, selection);
  refuse_mixed_texts_in_an_arm(table, selection);
  refuse_mixed_learning_rates(table, selection.n_count);
  refuse_mixed_recipes(table, selection.n_count);
  warn_where_mixed(table, "batch", [](const RunRow& row) {
    return std::to_string(row.record.batch_tokens) + " tokens";
  });
  warn_where_mixed(table, "context", [](const RunRow& row) {
    return std::to_string(row.record.shape.n_ctx) + " tokens";
  });
  warn_where_mixed(table, "tokenizer; that their texts are the same was not checked",
                   [](const RunRow& row) { return row.record.tokenizer_hash.substr(0, 12); });
  warn_where_repeated(table);
  if (table.tabled) return;
  for (RunRow& row : table.rows) row.window_losses = read_window_losses(row, selection.test_set);
}

}  // namespace scalelaw
