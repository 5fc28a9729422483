// What `scalelaw fit --law chinchilla` found, for people, for scripts and for a sweep.
#pragma once

#include <optional>
#include <string>

#include "analysis/fitting/profile.h"
#include "analysis/predict/optimal_size.h"
#include "analysis/predict/surface_fit.h"
#include "analysis/report/document.h"
#include "trainer/fit_file.h"

namespace scalelaw {

struct FittedSurface {
  RunTable runs;  // of the arm, selected
  std::string arm;
  Selection selection;
  SurfaceFit fit;  // has a curve
  ProfileInterval floor;
  OptimalSize optimum;
  double lowest_budget = 0, highest_budget = 0;  // of the runs, 6 N D of the selection's N
  // nullopt: why_no_law says why.
  std::optional<FittedLaw> n_opt;
  std::string why_no_law;
};

Document document_of(const FittedSurface& surface);
std::string to_json(const FittedSurface& surface);

}  // namespace scalelaw
