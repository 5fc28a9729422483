// What earlier attempts have left in a run's folder and a new one must not keep.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "trainer/run_record.h"

namespace scalelaw {

// Looked for once, by who has just taken the folder: a holder that stands still later, and is
// replaced, finds nothing of its successor's to remove.
class Leftovers {
 public:
  Leftovers() = default;  // none
  // Drafts and checkpoints. std::filesystem::filesystem_error where a folder cannot be listed.
  explicit Leftovers(const RunFolder& folder);
  // Removes of what was seen the drafts, and the checkpoints after `step`: of a history that is
  // begun again from there. `check`, that the folder is still ours, is called before each and may
  // throw.
  void remove_after(int64_t step, const std::function<void()>& check) const;

 private:
  std::vector<std::filesystem::path> drafts_;
  std::vector<std::pair<int64_t, std::filesystem::path>> checkpoints_;  // by step
};

}  // namespace scalelaw
