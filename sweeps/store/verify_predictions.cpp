#include "sweeps/store/verify_predictions.h"

#include <algorithm>
#include <stdexcept>

#include "trainer/prediction.h"

namespace scalelaw {

namespace fs = std::filesystem;

void verify_predictions(const fs::path& runs, VerifyResult& result) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(runs / kPredictionsFolder, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".json") files.push_back(it->path());
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    try {
      ++result.files;
      result.bytes += fs::file_size(file);
      find_prediction(runs, file.stem().string());
    } catch (const std::runtime_error& fault) {
      result.faults.push_back(
          {kPredictionsFolder, file.filename().string(), fault.what(),
           "bring it back from a copy; without one it is no evidence of what was predicted"});
    }
  }
}

}  // namespace scalelaw
