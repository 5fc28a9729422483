// The keys of a sweep file beside those of a run's configuration: one table for the sweep's reader,
// for `scalelaw explain` and for what tells a sweep file from a run's.
#pragma once

#include <string>
#include <vector>

namespace scalelaw {

// What may stand there, for editors (trainer/cli/schema.h).
enum class SweepValue {
  kText,
  kName,  // of letters, digits, '_', '-' and '.'
  kTextOrTexts,
  kPositive,         // a number above 0, or an expression
  kPositiveWritten,  // no expression
  kAboveOne,         // likewise no expression
  kAtLeastOne,       // or an expression
  kWhole,            // or an expression, 1 or more
  kWholeWritten,     // 1 to 10,000
  kExtensions,       // 0 to 20
  kBytes,
  kTime,
  kNumbers,  // one, a list, or a range
  kNCount,
  kCCount,
  kCount,  // either
  kArms,   // names with overrides
  kBlocks,
  kAxes,     // keys with lists
  kCells,    // a list of overrides
  kMembers,  // a map of the keys below it
  kCentre,
  kOrder,
  kDevice,
  kCountOrAuto,
  kWhenReached,
  kCondition,
  kFactors,
  kSeeds,
  kThen,
  kResumeState,
  kKeptWeights,
};

struct SweepKey {
  std::string name;
  bool in_file = false;   // at the file's top
  bool in_block = false;  // in a block
  std::string type;
  std::string help;
  SweepValue value = SweepValue::kText;
  bool required = false;  // in the file, the block or the map that it stands in
};
const std::vector<SweepKey>& sweep_keys();

// Names of those at the top, or in a block; in the table's order.
std::vector<std::string> sweep_file_keys();
std::vector<std::string> sweep_block_keys();

}  // namespace scalelaw
