// Lines of metrics: an attempt's part, and merged.
#include "tests/fuzz/fuzz_target.h"
#include "trainer/run_record.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const RunFolder folder{scratch_folder()};
  scratch_file("metrics.0001.jsonl", bytes);
  for (const MetricsRow& row : read_metrics(folder)) {
    const std::string line = to_json_line(row);
    require(to_json_line(metrics_row_from_json(line)) == line, "a line reads back the same");
  }
}

}  // namespace scalelaw
