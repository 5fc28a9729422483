// Who trained, on what: recorded with every attempt, outside a run's identity.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "trainer/run_record.h"

namespace scalelaw {

Provenance current_provenance(at::Device device, int threads);

// "runs/lstm_…: books 2.113 nats/token (1.23 bits/byte), 31 s" of a complete or diverged run.
std::string one_line_result(const RunFolder& folder);

}  // namespace scalelaw
