// Bits per byte: how many bytes of text a test set has, as the runs' records or the caller say.
#pragma once

#include <string>

#include "analysis/run_table.h"

namespace scalelaw {

// Takes selection.text_bytes for what the records of its test set say, where they tell how many
// tokens the set's split has, and warns of it. ConfigError: a set that no run was tested on.
void take_text_bytes(RunTable& table, const Selection& selection);

// Why a run has a loss in nats and none in bits per byte, in words that follow its name.
std::string why_no_bits_per_byte(const TestResult& result, const std::string& test_set);

// What tells the texts of two results in bits per byte apart, in words that follow "they"; "" where
// nothing does. Of equal tokens the bytes must be equal; of those of different tokenizers they are
// compared where both records have them.
std::string different_text_bytes(const TestResult& a, const TestResult& b,
                                 const std::string& test_set);

}  // namespace scalelaw
