// A sweep's file, and the cells it asks for.
#include "sweeps/language/sweep_spec.h"
#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const auto points = expand(parse_sweep_spec(bytes, "sweep.yaml"));
  require(static_cast<int64_t>(points.size()) <= kMaxCells, "cells are limited");
}

}  // namespace scalelaw
