// `scalelaw fit RUNS --law chinchilla`: L(N, D) of one arm, the size at which a budget is spent
// best, and the file that a sweep takes that from.
#pragma once

#include <string>

#include "analysis/fit_options.h"
#include "analysis/predict/surface_text.h"

namespace scalelaw {

struct SurfaceArguments {
  std::string law;  // "": not asked for
  std::string arm;  // "": the only one
  std::string out;  // "": writes no file
};

// --law, --arm and --out.
void add_surface_options(CLI::App& verb, SurfaceArguments& arguments);

// The arm that was asked for ("": the only one). ConfigError: there is none of it, or several.
std::string chosen_arm(const RunTable& table, const std::string& asked);

// Of the arguments' runs. ConfigError: no fit, or arms to choose from.
FittedSurface fitted_surface(const FitArguments& arguments, const std::string& arm);

// Prints it, and writes the file. ConfigError: no fit, arms to choose from, or a file that was
// asked for and has nothing to hold, or would be written over what is no fit.
void fit_surface_verb(const FitArguments& arguments, const SurfaceArguments& surface);

}  // namespace scalelaw
