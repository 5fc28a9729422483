// The model of a size: the n_layer and d_model that bring an architecture nearest to N parameters.
#pragma once

#include <cstdint>
#include <optional>

#include "models/model_shape.h"

namespace scalelaw {

struct SizeRules {
  double n = 0;  // parameters asked for, > 0
  NCount count = NCount::kNonEmbedding;
  // What is chosen; what is not stays as the shape has it. At least one of the two.
  bool chooses_layers = false, chooses_width = true;
  double aspect = 64;          // d_model / n_layer, where both are chosen; > 0
  int64_t width_multiple = 8;  // of which d_model is a multiple, where it is chosen; >= 1
  double d_head = 0;           // n_head is the divisor of d_model whose heads come nearest to it;
                               // 0: n_head stays, and widths that it does not divide are no choice
  int64_t d_ff_multiple = 0;   // d_ff is its multiple nearest to d_ff_ratio d_model; 0: the ratio
                               // stays, and widths that it makes no whole number of are no choice
};

struct SizedModel {
  ModelShape shape;
  double n = 0;  // its parameters, as `count` counts them
};

// What counts as having met the size asked for.
inline constexpr double kSizeMet = 0.01;

// Of one free number, the valid shape whose ln N is nearest. Where both are free: of the shapes
// whose aspect is within 1.25 times of that asked for, the one nearest to it of those that meet the
// size within kSizeMet, else the one nearest to the size; of none within, the nearest in aspect.
// nullopt where no shape is valid. KeyError where a field that stays is out of its range.
// std::invalid_argument as count(), n_vocab < 1 for one; an architecture without counts.
std::optional<SizedModel> model_of_size(const ModelShape& shape, const SizeRules& rules);

}  // namespace scalelaw
