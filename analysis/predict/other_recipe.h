// Whether a held-out run is trained by another recipe than the runs that predict it.
#pragma once

#include <string>

#include "analysis/predict/held_out_sweep.h"
#include "analysis/run_table.h"
#include "trainer/prediction.h"

namespace scalelaw {

// PredictedCell::other_recipe: of the keys in `recipes` those of which the cell has a value that
// none of `runs` has, but for numbers that go on as theirs rise or fall from size to size, or with
// D; where that is none, a run of its N and D whose recipe_hash is another. "": neither, or it is
// not known.
std::string other_recipe(const PredictedCell& cell, const HeldOut& held, const RunTable& runs,
                         NCount n_count, const Recipes& recipes);

// Of a cell that has one: "another recipe: against the runs used it has …".
std::string transfer_in_words(const PredictedCell& cell);

}  // namespace scalelaw
