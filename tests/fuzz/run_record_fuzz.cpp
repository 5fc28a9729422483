// run.json
#include "tests/fuzz/fuzz_target.h"
#include "trainer/run_record.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  scratch_file("run.json", bytes);
  const RunRecord record = read_run_record({scratch_folder()});
  const std::string written = to_json(record);
  scratch_file("again/run.json", written);
  require(to_json(read_run_record({scratch_folder() / "again"})) == written,
          "a record that was written reads back the same");
  for (const NCount convention :
       {NCount::kNonEmbedding, NCount::kNonEmbeddingPlusHead, NCount::kTotal}) {
    (void)n_params(record.shape, record.counts, convention);
  }
}

}  // namespace scalelaw
