// The time of a training step as a law of its shape and packing, and how it is fitted.
//
//   step seconds = parts a + (1 + s (P - 1)) (FLOPs b + bytes c)        or R parts a + ...
//
// of P processes with R replicas each. parts: what a step does one after another whatever its size,
// n_layer + 1, of recurrent layers n_layer n_ctx + 1; FLOPs: exact_causal, of R batches; bytes: the
// tensors of the step, of R replicas (models/memory_estimate.h). a: seconds a part takes to start,
// once for all replicas or for each, whichever fits; b: a FLOP; c: a byte's ways through memory; s:
// what one process takes from another, 0 nothing, 1 its whole time.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "trainer/step_choice.h"

namespace scalelaw {

struct StepLaw {
  double seconds_a_part = 0;  // a
  bool replicas_start_together = true;
  double seconds_a_flop = 0;   // b
  double seconds_a_byte = 0;   // c
  double taken_by_others = 0;  // s
};

struct StepTerms {
  double parts = 0, replicas = 1, flops = 0, bytes = 0;
};

bool is_recurrent(const ModelShape& shape);  // false too where there are no counts

// Of a batch computed at once; nullopt for an architecture without counts. Throws as count().
std::optional<StepTerms> terms_of(const StepRequest& request);

double seconds_by(const StepLaw& law, const StepTerms& terms, int processes);

// A measured step.
struct StepSample {
  ModelShape shape;
  StepTerms terms;
  int processes = 1;
  double seconds = 0;  // > 0
};

// All numbers >= 0, by least squares of relative errors. Without samples side by side s is 0
// on a CPU, 1 on a GPU.
StepLaw fit_law(const std::vector<StepSample>& samples, DeviceKind device);
inline constexpr std::size_t kLeastSamples = 4;  // a law has four numbers

// |ln(predicted / measured)| of the samples of each shape, by a law that has not seen that shape.
// Without those of which too few others are left.
std::vector<double> held_out_errors(const std::vector<StepSample>& samples, DeviceKind device);

}  // namespace scalelaw
