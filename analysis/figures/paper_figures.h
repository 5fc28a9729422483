// Which figures and tables of Kaplan et al. 2020 (arXiv 2001.08361) and Hoffmann et al. 2022
// (2203.15556) a table of runs holds the data for, and what it lacks for the others.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "analysis/run_table.h"

namespace scalelaw {

// What there is, counted. A size is one N (without embeddings) of one arm.
struct Holdings {
  int sizes = 0;            // of one arm at one D, at most
  int horizons = 0;         // D of one size
  int grid_sizes = 0;       // of one arm, with three D or more
  int curve_sizes = 0;      // of one arm, whose losses while training were kept
  int depths = 0;           // n_layer of three sizes or more
  int contexts = 0;         // n_ctx of three sizes or more
  int shapes = 0;           // of one architecture, D and, within 10%, N
  int isoflop_budgets = 0;  // FLOPs, within 10%, that five sizes or more were trained with
  int scanned_sizes = 0;    // with three batches or more at one learning rate
  int noise_sizes = 0;      // with a gradient noise scale
  int position_sizes = 0;   // of one arm, with loss by position
  int test_sets = 0;        // in one run
  int curve_test_sets = 0;  // while training
  int limited_texts = 0;    // lengths of training text that runs of one size read more than once
  int schedules = 0;        // forms of the learning rate over time, at one size
  std::set<std::string> architectures;  // of three sizes or more
};

// Reads the metrics of every run; those that cannot be read count as none.
Holdings holdings(const RunTable& table);

struct PaperFigure {
  std::string id;     // "Kaplan 10"
  std::string shows;  // "B_crit against loss for two sizes, with the noise scale"
  std::string by;     // what draws it here, as "scalelaw frontier"; "": nothing does yet
  std::vector<std::string> lacks;  // in words; empty: the runs support it
};
std::vector<PaperFigure> paper_figures(const Holdings& holdings);

}  // namespace scalelaw
