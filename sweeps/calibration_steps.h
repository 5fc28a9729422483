// Which training steps to measure for a plan's hours.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sweeps/device_file.h"
#include "sweeps/plan.h"

namespace scalelaw {

inline constexpr std::size_t kMostShapes = 4;     // of an architecture in a precision
inline constexpr double kLongestStepSeconds = 2;  // by --flops-per-second

struct CalibrationSteps {
  // What is worth most first; without their times.
  std::vector<MeasuredStep> steps;
  // "transformer in fp32: ...", of which no step can be measured in so short a time.
  std::vector<std::string> left_out;
};

// Of each architecture and precision of the plan's cells: the median cell by FLOPs a step, the
// largest, the smallest and one between, each in as many processes as run at once, and the median
// alone in one, so that what they take from one another is seen. Where there are fewer shapes than
// a law needs, the median's with half and twice the batch. Steps that would be longer than
// kLongestStepSeconds, or that memory makes be computed in pieces, are none of them. As
// `scalelaw bench` trains: with biases.
CalibrationSteps steps_to_measure(const Plan& plan);

}  // namespace scalelaw
