// What a further run of an arm would be, after the runs that are there: its shape, tokens, learning
// rate and cost.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/run_table.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

struct ProposedCell {
  double n = 0;         // by the selection's count
  double d_tokens = 0;  // 0: the table does not tell
  double flops = 0;     // of one run; 0 where D is not known
  bool measured = false;
  std::optional<ModelShape> shape;  // of run folders
  double learning_rate = 0;         // 0: not told
  int64_t first_seed = 1;           // of initialisation and data alike
  RunFolder like;                   // whose other settings it takes; of a table empty
};

// Of one arm, one recipe apart from what varies with N. Laws of its own (N, value) are straight
// lines in logs through the sizes; of one size, or where all are alike, that value. Rows must
// outlive it and not be empty.
class ArmSettings {
 public:
  // `waiting`: cells that nobody may begin.
  ArmSettings(std::vector<const RunRow*> rows, NCount n_count, CCount c_count,
              std::vector<HeldOut> waiting = {});

  // As near to n as shapes of the arm's kind come: layers as they grow with N, widths of the arm's
  // own multiple, heads of the nearest run's size. `budget`: FLOPs, which then say D. nullopt: a
  // size that is there already (within 5%) or waits, or none near.
  std::optional<ProposedCell> at_new_size(double n, std::optional<double> budget = {}) const;
  ProposedCell of_measured(const RunRow& row) const;  // with a seed that no run has
  double flops_of(const RunRow& row) const;           // ConfigError: a count that its arch has not
  const RunRow& nearest(double n) const;

 private:
  template <typename Value>
  double law_at(double n, const Value& value) const;
  std::optional<ModelShape> shape_near(double n) const;

  bool waits(const ProposedCell& cell) const;

  std::vector<const RunRow*> rows_;
  NCount n_count_;
  CCount c_count_;
  std::vector<HeldOut> waiting_;
};

}  // namespace scalelaw
