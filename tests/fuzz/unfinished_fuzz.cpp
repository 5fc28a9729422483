// Attempts of a sweep that ended without completing, and the last lines of a trainer's log.
#include "sweeps/status/sweep_folder.h"
#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const SweepFolder folder{scratch_folder()};
  const auto file = scratch_file("unfinished/another.jsonl", bytes);
  for (const auto& [hash, attempt] : read_last_unfinished(folder)) {
    require(hash == attempt.content_hash, "an attempt stands under its run");
    (void)describe(attempt.end);
  }
  const std::vector<std::string> lines = last_lines(file, 3);
  require(lines.size() <= 3, "no more lines than asked for");
  require(last_line(file) == (lines.empty() ? "" : lines.back()), "the last of them is the last");
  for (const std::string& line : lines) {
    require(line.size() <= 400, "a reason is short");
    for (const char c : line) {
      require(static_cast<unsigned char>(c) >= ' ' && c != 127, "a log moves no cursor");
    }
  }
}

}  // namespace scalelaw
