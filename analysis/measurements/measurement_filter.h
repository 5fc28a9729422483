// --where over a table: trainer/run_filter.h's filters, asked of its columns and the laws'.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/measurements/column_names.h"
#include "analysis/measurements/measurements.h"
#include "trainer/run_filter.h"

namespace scalelaw {

// A column is a number where every cell that is there is one ("-", "nan" and "NA" stand for what is
// missing). A column whose name is no word is asked for by its plain name.
class MeasurementFilter {
 public:
  // `maps`: of each source of the table, which lives as long. "" lets every row pass. ConfigError
  // as RunFilter's.
  MeasurementFilter(const Measurements& table, const std::vector<ColumnMap>& maps,
                    const std::string& text);
  bool passes(const Measurement& row) const;

 private:
  void add(const std::string& name, std::size_t of, const ColumnSource& source);

  const Measurements& table_;
  std::vector<FilterKey> keys_;
  std::map<std::string, std::map<std::size_t, ColumnSource>> sources_;  // by the row's source
  RunFilter filter_;
};

}  // namespace scalelaw
