#include "analysis/horizon.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "analysis/exclude_where.h"
#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

void refuse_unknown_horizon(const RunTable& table, double train_tokens) {
  std::set<std::string> there;
  for (const RunRow& row : table.rows) {
    if (std::abs(row.d_tokens() - train_tokens) < row.d_slack()) return;
    there.insert(human(row.d_tokens()));
  }
  std::string list;
  for (const std::string& each : there) list += (list.empty() ? "" : ", ") + each;
  throw ConfigError("--tokens " + human(train_tokens) +
                    ": no run was trained on as many; there is " + list);
}

// The D of most runs; of equals the largest. Horizons end within one batch of one another.
double common_train_tokens(const RunTable& table) {
  double best = 0;
  std::size_t most = 0;
  for (const RunRow& row : table.rows) {
    const auto near = static_cast<std::size_t>(
        std::count_if(table.rows.begin(), table.rows.end(), [&](const RunRow& other) {
          return std::abs(other.d_tokens() - row.d_tokens()) <
                 std::max(row.d_slack(), other.d_slack());
        }));
    if (near > most || (near == most && row.d_tokens() > best)) {
      most = near;
      best = row.d_tokens();
    }
  }
  return best;
}

// Of runs that were trained on as many tokens as their size asks for.
void describe_own_horizons(const RunTable& table, Selection& selection) {
  double low = HUGE_VAL, high = 0;
  for (const RunRow& row : table.rows) {
    const double ratio = row.d_tokens() / row.n(selection.n_count);
    low = std::min(low, ratio);
    high = std::max(high, ratio);
  }
  selection.horizon = "D of " + human(low) +
                      (human(low) == human(high) ? "" : " to " + human(high)) +
                      " tokens a parameter";
}

// One N at several D would be points of several laws.
void refuse_several_horizons_of_a_size(const RunTable& table, const Selection& selection) {
  std::map<std::pair<std::string, double>, const RunRow*> first;
  for (const RunRow& row : table.rows) {
    const RunRow& other =
        *first.try_emplace({row.arm, row.n(selection.n_count)}, &row).first->second;
    if (same_horizon(row, other)) continue;
    throw ConfigError("--tokens own: arm " + row.arm +
                      " has N = " + human(row.n(selection.n_count)) +
                      " at D = " + human(other.d_tokens()) + " (" + other.folder_name + ") and " +
                      human(row.d_tokens()) + " (" + row.folder_name +
                      "): one D a size is wanted; choose with --where, or one D "
                      "for all with --tokens");
  }
}

}  // namespace

void keep_horizon(RunTable& table, Selection& selection) {
  if (std::ranges::none_of(table.rows, [](const RunRow& row) { return row.d_tokens() > 0; })) {
    selection.horizon = "a D that the table does not tell";
    return;
  }
  exclude_where(table, [](const RunRow& row) -> std::string {
    return row.d_tokens() > 0 ? "" : "its D is not told, and that of others is";
  });
  if (selection.own_tokens) {
    refuse_several_horizons_of_a_size(table, selection);
    return describe_own_horizons(table, selection);
  }
  if (!selection.train_tokens) selection.train_tokens = common_train_tokens(table);
  refuse_unknown_horizon(table, *selection.train_tokens);
  exclude_where(table, [&](const RunRow& row) -> std::string {
    const double off = std::abs(row.d_tokens() - *selection.train_tokens);
    if (off < row.d_slack()) return "";
    return "trained on " + human(row.d_tokens()) +
           " tokens; this fit holds D = " + human(*selection.train_tokens);
  });
  selection.horizon = "D = " + human(*selection.train_tokens) + " tokens";
}

}  // namespace scalelaw
