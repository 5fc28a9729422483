#include "trainer/leftovers.h"

#include <system_error>

#include "trainer/atomic_file.h"
#include "trainer/checkpoint_files.h"

namespace scalelaw {

namespace fs = std::filesystem;

Leftovers::Leftovers(const RunFolder& folder) {
  for (const fs::path& place : {folder.path, folder.checkpoints(), folder.attempts()}) {
    std::error_code none;
    for (fs::directory_iterator it(place, none), end; !none && it != end; it.increment(none)) {
      if (it->path().filename().string().starts_with(kDraftPrefix)) drafts_.push_back(it->path());
    }
  }
  for (const int64_t step : checkpoint_steps(folder)) {
    checkpoints_.emplace_back(step, checkpoint_file(folder, step));
  }
}

void Leftovers::remove_after(int64_t step, const std::function<void()>& check) const {
  for (const fs::path& draft : drafts_) {
    std::error_code ignored;
    check();
    fs::remove(draft, ignored);
  }
  for (const auto& [at, file] : checkpoints_) {
    if (at <= step) continue;
    check();
    fs::remove(file);
  }
}

}  // namespace scalelaw
