// How often the 95% interval of a run's gradient noise scale holds the true one. Prints the table
// of docs/studies/coverage.md.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>

#include "tests/analysis/coverage_share.h"
#include "tests/trainer/known_noise.h"

namespace scalelaw {
namespace {

constexpr int kSimulations = 2000;

struct Tally {
  int covered = 0, bounded = 0;
};

Tally tally(int lines, double correlation) {
  Tally t;
  for (int i = 0; i < kSimulations; ++i) {
    KnownNoise noise(static_cast<uint64_t>(1000 * lines + i));
    const NoiseScale scale = noise_scale(noise.series(lines, correlation)).value();
    constexpr double kInfinite = std::numeric_limits<double>::infinity();
    t.covered += scale.tokens_low.value_or(-kInfinite) <= KnownNoise::scale_tokens() &&
                 KnownNoise::scale_tokens() <= scale.tokens_high.value_or(kInfinite);
    t.bounded += scale.tokens_high.has_value();
  }
  return t;
}

TEST(Coverage, NoiseScales) {
  std::printf("| lines | independent | with an upper end | correlated .5 | with an upper end |\n");
  for (const int lines : {16, 32, 76, 200}) {
    const Tally alone = tally(lines, 0), alike = tally(lines, 0.5);
    std::printf("| %d | %s | %s | %s | %s |\n", lines, share(alone.covered, kSimulations).c_str(),
                share(alone.bounded, kSimulations).c_str(),
                share(alike.covered, kSimulations).c_str(),
                share(alike.bounded, kSimulations).c_str());
    EXPECT_TRUE(covers(alone.covered, kSimulations)) << lines;
    // Blocks of three lines are not independent of each other; docs/studies/coverage.md says so.
    EXPECT_TRUE(covers(alike.covered, kSimulations, lines == 16 ? .88 : .93)) << lines;
  }
}

}  // namespace
}  // namespace scalelaw
