// Where compute-efficient training would ask more of its data than they hold (Kaplan et al. 2020,
// 6.3): L(C_min) falls below L(D), D being what such training reads, 2 C_min / (6 N*) tokens at the
// critical batch, each of them once.
#pragma once

#include <optional>
#include <string>

#include "analysis/kaplan/lowest_curve.h"
#include "analysis/kaplan/one_column_formula.h"

namespace scalelaw {

// Loss of data alone, models being as large as they need.
struct DataLaw {
  OneColumnFormula formula;
  std::string words;  // whose it is
};

// "(5.4e13 / D)^.095". ConfigError as OneColumnFormula.
DataLaw data_law(const std::string& formula, std::string words);
DataLaw published_data_law();

struct DataLimit {
  double c_min = 0, n = 0, d = 0, loss = 0;  // FLOPs, parameters, tokens
  std::string why;                           // of none: c_min is 0
  bool stands() const { return c_min > 0; }
};

inline constexpr double kDataLimitReach = 1e15;  // times the largest compute of `law`

// `law` of C_min, standing. The lowest C_min of its range or above it, up to kDataLimitReach.
DataLimit find_data_limit(const LowestCurveLaw& law, const DataLaw& data);

}  // namespace scalelaw
