// What scalelaw-data says: progress on stderr, results on stdout.
#pragma once

#include <chrono>
#include <ostream>
#include <string>
#include <string_view>

#include "trainer/data/builder.h"
#include "trainer/data/inspection.h"

namespace scalelaw {

// On a terminal one line that rewrites itself, with share and time left; else plain lines: one when
// a stage ends, and one every ten seconds within it.
class ProgressPrinter {
 public:
  ProgressPrinter(std::ostream& out, bool terminal);
  ~ProgressPrinter();  // ends the line
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;
  void show(const BuildProgress& progress);

 private:
  using Clock = std::chrono::steady_clock;
  void print(const BuildProgress& progress);
  void end_stage();

  std::ostream& out_;
  bool terminal_;
  std::string stage_;
  Clock::time_point stage_start_;
  Clock::time_point printed_;
};

// One line a split, then everything that was dropped.
void print_data_set(std::ostream& out, const DataSetInfo& set);
// What a build or an import came to.
void print_result(std::ostream& out, const BuildResult& result, bool as_json);
// Samples of `pieces` pieces a split.
void print_samples(std::ostream& out, const DataSetInfo& set, int64_t pieces);
// data_set.json, with "folder" and, for pieces > 0, "samples" and, where it is given, "inspection".
std::string data_set_json(const DataSetInfo& set, int64_t pieces,
                          const Inspection* inspection = nullptr);

}  // namespace scalelaw
