// What of a run's record can be computed anew from the files beside it, and whether it says the
// same.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "trainer/run_record.h"

namespace scalelaw {

// Each returns what is wrong, "" for nothing.

// A test result against the final losses of its windows, as they are stored (F32); without windows
// what its own numbers say of each other. `set`: its name.
std::string fault_of_test(const std::string& set, const TestResult& result, int64_t n_ctx,
                          std::span<const float> windows);
// Lines of metrics: steps that grow, numbers where a run that went on can have no others.
std::string fault_of_lines(const std::vector<MetricsRow>& rows);
// The final training loss against the lines, where one of them ends where its steps begin.
std::string fault_of_final_train_loss(const RunRecord& record, const std::vector<MetricsRow>& rows);

}  // namespace scalelaw
