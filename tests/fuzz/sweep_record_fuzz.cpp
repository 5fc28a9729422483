// RUNS/sweeps/NAME.json
#include "tests/fuzz/fuzz_target.h"
#include "trainer/sweep_record.h"
#include "trainer/utf8.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const SweepRecord record = read_sweep_record(scratch_file("s.json", bytes));
  for (const SweepCell& cell : record.cells) {
    const std::filesystem::path folder = scratch_folder() / cell.folder;
    require(folder.lexically_normal().parent_path() == scratch_folder(),
            "a cell's folder is in the store");
  }
  write_sweep_record(scratch_folder() / "again.json", record);
  require(read_sweep_record(scratch_folder() / "again.json") == record,
          "a record that was written reads back the same");
}

}  // namespace scalelaw
