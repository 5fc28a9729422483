// Attempts of a sweep that ended without completing, and the last line of a trainer's log.
#include "sweeps/sweep_folder.h"
#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const SweepFolder folder{scratch_folder()};
  const auto file = scratch_file("unfinished/another.jsonl", bytes);
  for (const auto& [hash, attempt] : read_last_unfinished(folder)) {
    require(hash == attempt.content_hash, "an attempt stands under its run");
    (void)describe(attempt.end);
  }
  const std::string line = last_line(file);
  require(line.size() <= 400, "a reason is short");
  for (const char c : line) {
    require(static_cast<unsigned char>(c) >= ' ' && c != 127, "a log moves no cursor");
  }
}

}  // namespace scalelaw
