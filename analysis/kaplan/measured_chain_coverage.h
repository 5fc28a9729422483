// How often intervals of the chain held, in the words that stand beside them: from
// tests/analysis/coverage_chains_test.cpp, whose tables are in docs/kaplan.md.
#pragma once

namespace scalelaw {

inline constexpr const char* kMeasuredChainCoverage = "How often they hold: docs/kaplan.md.";

}  // namespace scalelaw
