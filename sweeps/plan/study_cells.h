// What a sweep with settings of a command line has in common with its study, the sweep that the
// same file asks for without them.
#pragma once

#include <string>
#include <vector>

#include "sweeps/language/expression.h"
#include "sweeps/language/sweep_spec.h"
#include "trainer/run_identity.h"

namespace scalelaw {

struct StudyShare {
  bool is_study = false;  // the same runs, however its settings are written, the same held out
  struct HeldOut {
    std::string content_hash;
    std::string folder;        // below RUNS; of a tuned cell at the file's own rate
    std::string but_for_rate;  // sweeps/tuning/recipe.h
  };
  std::vector<HeldOut> held_out_by_both;
};

// By content hashes, of cells that trials tune at the file's own rates. `spec` has a hold_out.
// Nothing in common where the file asks for no sweep without the settings, or for none with them.
StudyShare share_of_study(const SweepSpec& spec, DataSetHeaders& data,
                          ExpressionCache& expressions);

}  // namespace scalelaw
