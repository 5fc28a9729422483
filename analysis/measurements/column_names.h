// Which column of a table is a law's N, D, loss, ...: as --map says, else by names that people use.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/measurements/measurements.h"

namespace scalelaw {

// Where a law's column comes from.
struct ColumnSource {
  std::size_t column = 0;
  double times = 1;    // of --map 'D=tokens*1e9'
  bool named = false;  // by --map
};

// Law's column ("L", "N", ...) to the table's. Beside the laws' columns those of --map alone.
using ColumnMap = std::map<std::string, ColumnSource>;

// Of one source of the table. `maps`, which count where the source has their column: each
// "loss=val_loss,N=params,D=tokens*1e9"; `loss` is L. What was recognised under another name is
// noted in the table. ConfigError: a map that is none, a law's column or a table's that is not
// there (with the nearest name), one that two columns could be.
ColumnMap column_map(const Measurements& table, std::size_t source,
                     const std::vector<std::string>& maps);

// "a, b, c", each escaped.
std::string escaped_list(const std::vector<std::string>& words);

// Lower case, with _ for what is no letter or digit: "Training FLOP" is "training_flop".
std::string plain_name(const std::string& name);

// The table's column of that name, or of that plain name; nullopt where there is none.
std::optional<std::size_t> find_column(const Measurements& table, const std::string& name);

// The column that an option names: a law's as `map` has it, or the table's. ConfigError names the
// nearest.
std::size_t column_named(const Measurements& table, const char* option, const std::string& name,
                         const ColumnMap& map);

}  // namespace scalelaw
