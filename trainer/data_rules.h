// What a configuration asks of the data sets it names: more than its file alone can tell.
#pragma once

#include "trainer/run_config.h"
#include "trainer/run_identity.h"

namespace scalelaw {

// KeyError for a train split that is no larger than a batch, an evaluation that asks for more
// windows than a test split holds, and a shape that is impossible with the set's vocabulary. Reads
// the sets' headers.
void check_data_rules(const RunConfig& config, DataSetHeaders& data);

}  // namespace scalelaw
