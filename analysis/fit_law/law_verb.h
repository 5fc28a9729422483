// `scalelaw fit TABLE --law NAME` and `--law 'E + A*N^-a'`: any law over any table.
#pragma once

#include <string>
#include <vector>

#include "analysis/fit_options.h"

namespace scalelaw {

struct LawArguments {
  std::string law, arm;  // of the options that add_surface_options makes
  std::vector<std::string> maps, starts, ranges, at;
  std::string where, cluster, objective = "huber", delta, joint, figure, intervals = "auto",
                              sigma = "0.2%";
  int draws = 24;
  bool list = false;  // --laws
};

// --laws, --map, --where, --cluster, --objective, --delta, --start, --range, --starts, --intervals,
// --sigma, --at, --joint and --figure.
void add_law_options(CLI::App& verb, LawArguments& arguments);

// Whether it is asked for with these options: of a table, of another law than chinchilla, or with
// an option that only it has; else `fit` over runs goes its own ways.
bool is_asked(const CLI::App& verb, const FitArguments& fit, const LawArguments& arguments);

// Prints the list, or the fits. ConfigError: bad options or input, no law, no fit in any
// group. GnuplotError as render().
void fit_law_verb(const CLI::App& verb, const FitArguments& fit, const LawArguments& arguments);

}  // namespace scalelaw
