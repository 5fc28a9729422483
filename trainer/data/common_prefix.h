// Whether one split's tokens begin another's: what is a fair sample of the same text, and what is
// other text.
#pragma once

#include "trainer/data/data_set.h"

namespace scalelaw {

// Equal hashes, or, of different lengths, equal tokens at the beginning, in the middle and at the
// end of the smaller one's, 64 Ki at each: an insertion, another order or another text before one
// of these shows there, a change between them alone does not. False where their tokenizers differ.
// Reads headers and those tokens; ConfigError or std::runtime_error as TokenShard's.
bool is_prefix(const DataSetInfo& smaller, const DataSetInfo& larger, Split split);

}  // namespace scalelaw
