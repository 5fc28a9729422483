// How often intervals of the chain held, in the words that stand beside them: from
// tests/analysis/coverage_chains_test.cpp, whose tables are in docs/kaplan.md.
#pragma once

namespace scalelaw {

inline constexpr const char* kMeasuredChainCoverage =
    "In 500 simulations of each of four designs those of L(N, S_min), of what it predicts and of a "
    "wrong size's cost held in 93% to 97%; those along the lowest curves always: they are too "
    "wide (docs/kaplan.md).";

}  // namespace scalelaw
