// The rows of a table that a law can be fitted to, by group.
#pragma once

#include <string>
#include <vector>

#include "analysis/fitting/formula_objective.h"
#include "analysis/measurements/column_names.h"

namespace scalelaw {

struct RowSelection {
  std::vector<std::string> maps = {};  // --map
  std::string where = {};  // --where: trainer/run_filter.h over the table's and laws' columns
  std::string by = {};     // column whose values are laws of their own; "": arm, where there is one
  std::string group = {};  // one of its values; "": all
  std::string cluster = {};  // column whose values are drawn together; "": each row by itself
};

struct LawRows {
  std::string group;                // "" where nothing groups
  FormulaData data;                 // (rows, columns of the formula)
  std::vector<std::string> places;  // "losses.csv, line 7"
  std::vector<int> cluster;         // of each row, in [0, clusters)
  int clusters = 0;
};

// Names that are data in a formula over this table: the laws' columns, and the table's whose names
// are letters, digits and '_'.
std::vector<std::string> formula_columns(const Measurements& table);

// Rows of every group, in order of first appearance. A row is excluded, with its reason, where a
// column of the law is missing or no number, what the law gives is not above 0 (unless its noise is
// not in ln: then accuracy must be in [0, 1]), N, D, U, S or batch is below 1, C, T, L or lr not
// above 0. Rows that are the same in all of these are warned of. A table without D and with N and C
// takes D = C / 6N, without C and with N and D C = 6 N D. What was recognised and made is noted.
// ConfigError: columns that are not there, no such group, a filter that cannot be read or lets no
// row pass.
std::vector<LawRows> law_rows(Measurements& table, const FormulaLaw& law,
                              const RowSelection& selection);

}  // namespace scalelaw
