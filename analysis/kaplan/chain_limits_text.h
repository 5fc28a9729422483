// What the chain says of data, in words: early stopping, and where compute asks too much of them.
#pragma once

#include "analysis/kaplan/chain.h"
#include "analysis/report/document.h"

namespace scalelaw {

// Nothing where no run read its text more than once.
void add_early_stops(Document& d, const Chain& chain);
// Nothing where no data law was given.
void add_data_limit(Document& d, const Chain& chain, const ChainOptions& options);

}  // namespace scalelaw
