// How wide the interval of a power law's slope will be with runs that are not there yet: the
// weighted straight line of arm_laws.h, whose scatter is taken to stay what it is.
//
//   half-width = t(df) sqrt(scale / sum w (x - mean x)^2 + text variance)
//   w = 1 / (size variance + seed variance / seeds + evaluation variance),  x = ln N
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "analysis/arm_laws.h"

namespace scalelaw {

struct DesignCell {
  double ln_n = 0;
  int seeds = 1;
  double evaluation_variance = 0;  // of the mean ln L, as SizeCell has it
};

struct SlopeDesign {
  std::vector<DesignCell> cells;
  double size_variance = 0, seed_variance = 0;  // of ln L
  double scale = 1;                             // residual variance over what the weights say
  double text_variance = 0;                     // what the test text adds; more runs change nothing
  double level = 0.95;

  // Needs three different sizes; 0 where nothing scatters.
  double half_width() const;
  SlopeDesign with_size(double ln_n) const;  // one seed; evaluated as those here are on average
  SlopeDesign with_seed(std::size_t cell) const;
};

// Of an arm whose line stands; nullopt: fewer sizes than a line needs, or no finite scatter.
std::optional<SlopeDesign> design_of(const ArmLaws& laws, double level);

}  // namespace scalelaw
