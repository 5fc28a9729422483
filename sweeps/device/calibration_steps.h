// Which training steps to measure for a plan's hours.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sweeps/device/device_file.h"
#include "sweeps/plan/plan.h"

namespace scalelaw {

inline constexpr std::size_t kMostShapes = 4;  // of an architecture in a precision

struct CalibrationSteps {
  // What is worth most first; without their times.
  std::vector<MeasuredStep> steps;
  // "transformer in fp32: why", of which no step can be measured.
  std::vector<std::string> left_out;
};

// Of each architecture and precision of the plan's cells: the median cell by FLOPs a step, the
// largest, the smallest and one between, each with the replicas of its pack, in as many processes
// as run at once on a device, and the median alone in one, so that what they take from one another
// is seen. Where packs are of several runs the other shapes follow alone too, and the median's pack
// in one process: what replicas share is a number of the law. Where there are fewer shapes than a
// law needs, the median's with half and twice the batch.
//
// Steps that would be longer than bench_way() allows, or that memory makes be computed in pieces,
// are none of them; a pack of such is measured with half its replicas, or a quarter. As
// `scalelaw bench` trains: with biases, and on a GPU by graphs, so that cells which ask for another
// how.step there are left out.
CalibrationSteps steps_to_measure(const Plan& plan);

}  // namespace scalelaw
