// RUNS/predictions/NAME.json
#include "tests/fuzz/fuzz_target.h"
#include "trainer/prediction.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const Prediction prediction = prediction_from_json(bytes);
  const auto in_the_store = [](const std::filesystem::path& path) {
    return path.lexically_normal().parent_path() == scratch_folder();
  };
  require(in_the_store(scratch_folder() / prediction.name), "its name is a file's");
  for (const PredictedCell& cell : prediction.cells) {
    require(in_the_store(scratch_folder() / cell.folder), "a cell's folder is in the store");
    require(cell.low <= cell.loss && cell.loss <= cell.high, "an interval holds its loss");
    require(!cell.laws.empty(), "a cell has a law");
    require(prediction.find(cell.content_hash) != nullptr, "a cell is found");
  }
  for (const UsedRun& run : prediction.runs) {
    require(in_the_store(scratch_folder() / run.folder), "a run's folder is in the store");
  }
  require(prediction_from_json(to_json(prediction)) == prediction,
          "a prediction that was written reads back the same");
}

}  // namespace scalelaw
