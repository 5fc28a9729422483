// A law's column as the numbers that a table's rows have for it.
#pragma once

#include <string>

#include "analysis/measurements/column_names.h"
#include "analysis/measurements/measurements.h"

namespace scalelaw {

struct MeasuredValue {
  double value = 0;
  std::string fault;  // "column loss = -1: must be above 0"; "": none
};

class MeasuredColumn {
 public:
  // Of one source, whose columns `map` tells: read from the table, or D = C / 6N and C = 6 N D of
  // two others. The table's notes say what was recognised or made. ConfigError: nothing is known
  // for it.
  MeasuredColumn(Measurements& table, const ColumnMap& map, std::string name);

  // Of a row of that source. A fault where the cell is missing or no finite number, N, D, U, S or
  // batch is below 1, C, T, L or lr not above 0, an accuracy not in [0, 1].
  MeasuredValue of(const Measurements& table, const Measurement& row,
                   bool must_be_positive = false) const;
  std::string words(const Measurements& table) const;  // "column Model Size", "C / (6 N)"

 private:
  enum class From { kTable, kComputeOverSixN, kSixND };
  std::string name_;
  From from_ = From::kTable;
  ColumnSource source_ = {}, other_ = {};  // of kComputeOverSixN C and N, of kSixND N and D
};

}  // namespace scalelaw
