// The figures of a study of loss against N: learning curves, laws, loss by position.
#pragma once

#include <string>
#include <vector>

#include "analysis/arm_laws.h"
#include "analysis/figures/figure.h"

namespace scalelaw {

// Loss against training tokens, a line a run, a panel an arm. Runs without readable metrics are
// left out and named in `warnings`.
Figure learning_curves(const RunTable& table, const LawOptions& options,
                       std::vector<std::string>& warnings);
// Loss against N with each arm's line and its band, and the residuals below.
Figure law_figure(const RunTable& table, const std::vector<ArmLaws>& laws,
                  const LawOptions& options);
// Loss by position in the window: a panel an arm, and the largest runs of all arms together.
Figure loss_by_position(const RunTable& table, const std::vector<ArmLaws>& laws,
                        const LawOptions& options);

}  // namespace scalelaw
