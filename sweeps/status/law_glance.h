// The law as it forms: a straight line of ln L over ln N through what is complete. A glance while a
// sweep runs, without floor, interval or the rules by which runs are left out: `scalelaw fit` is
// the analysis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

struct GlancePoint {
  double n_params = 0;   // by the plan's n_count
  double loss_nats = 0;  // final, mean over the seeds of a recipe; of several recipes the lowest
};

// Of one arm, block, horizon and training set: what may lie on one line.
struct LawGlance {
  std::string arm, block;  // "" where the file has none
  int64_t train_tokens = 0;
  int64_t runs = 0;  // complete ones with a loss, of recipes that are not the lowest too
  std::vector<GlancePoint> points;  // of distinct N, in its order
  // L ~ N^-slope by least squares, its standard error by the residuals (points - 2 degrees of
  // freedom); nullopt with fewer than three sizes.
  std::optional<double> slope, standard_error;
};

class LawGlances {
 public:
  // Sorts the plan's cells, once; `plan` outlives it.
  explicit LawGlances(const Plan& plan);
  // Of `statuses`, which are of all cells: each group that has a slope, and of an arm that has none
  // the one of most sizes, if any is complete. In the file's order.
  std::vector<LawGlance> of(const std::vector<CellStatus>& statuses) const;

 private:
  struct Member {
    std::size_t group = 0, recipe = 0;  // of the lists below; of the plan's recipes
    std::size_t cell = 0;
  };
  const Plan& plan_;
  std::vector<LawGlance> groups_;  // without points
  std::vector<Member> members_;    // by group, then N, then recipe
};

// The table under a line that says what it is, in `columns`; "loss" is of the smallest and the
// largest N. A narrow table keeps the law itself and what tells its rows apart; where `columns` do
// not hold that either, it is a sentence each, which may be longer, as that first line may. None
// without a group.
std::vector<std::string> law_lines(const Plan& plan, const std::vector<LawGlance>& laws,
                                   int columns);
// Loss over N on logarithmic axes, a letter an arm, 12 rows and what is around them, in lines of
// fewer than `columns` characters. None as long as no group has a slope, nor where 30 columns of
// points have no room.
std::vector<std::string> law_plot(const std::vector<LawGlance>& laws, int columns);

}  // namespace scalelaw
