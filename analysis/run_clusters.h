// What a bootstrap over runs draws: runs, or all runs of a size together where there are sizes
// enough.
#pragma once

#include <cmath>
#include <vector>

#include "analysis/fitting/fit.h"
#include "analysis/size_cells.h"

namespace scalelaw {

// Fewer sizes than this give too few different draws: runs are drawn.
inline constexpr int kFewestSizesToDraw = 12;

struct RunClusters {
  std::vector<Observation> observations;  // one a run
  std::vector<int> cluster;               // of each
  int clusters = 0;
  bool by_size = false;
};

inline RunClusters run_clusters(const std::vector<SizeCell>& cells) {
  RunClusters out;
  out.by_size = static_cast<int>(cells.size()) >= kFewestSizesToDraw;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    for (const double ln_loss : cells[c].ln_losses) {
      out.cluster.push_back(static_cast<int>(out.by_size ? c : out.observations.size()));
      out.observations.push_back({cells[c].n, 1, std::exp(ln_loss), 1});
    }
  }
  out.clusters = static_cast<int>(out.by_size ? cells.size() : out.observations.size());
  return out;
}

}  // namespace scalelaw
