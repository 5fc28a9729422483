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
  FitRange sizes, tokens, budgets;  // of the runs: N of the selection, D, 6 N D
  // nullopt: why_no_law says why.
  std::optional<FittedLaw> n_opt;
  std::string why_no_law;
};

Document document_of(const FittedSurface& surface);
std::string to_json(const FittedSurface& surface);

}  // namespace scalelaw
