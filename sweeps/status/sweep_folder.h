// What a sweep keeps beside the store's run folders: RUNS/sweeps/NAME/
//
//   cells/3fa9c1d20b7e.yaml   the resolved configuration handed to the trainer
//   logs/RUN_FOLDER.log       the trainer's output, attempts one after another
//   unfinished/TOKEN.jsonl    attempts that ended without completing their run
//   limits/TOKEN.jsonl        packs and pieces that were too large (sweeps/status/cell_limits.h)
//
// The last two have a file for each process that notes something (sweeps/status/note_files.h).
// All of it may be deleted: the runs themselves and RUNS/sweeps/NAME.json stay whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

struct SweepFolder {
  std::filesystem::path path;
  // Makes it and clears what launchers that were killed were writing. ConfigError when that cannot
  // be; another launcher may be at work in it.
  void prepare() const;
  std::filesystem::path cell_config(std::string_view content_hash) const;
  std::filesystem::path log(std::string_view run_folder) const;
  std::filesystem::path unfinished() const { return path / "unfinished"; }
  std::filesystem::path limits() const { return path / "limits"; }
};
SweepFolder sweep_folder(const std::filesystem::path& runs, std::string_view sweep_name);

// How a trainer's process ended.
struct ProcessEnd {
  int exit_code = 0;
  int signal = 0;  // that killed it; 0: it exited
  bool operator==(const ProcessEnd&) const = default;
};
// "exit 1", "killed by signal 9 (Killed), perhaps for want of memory"
std::string describe(const ProcessEnd& end);

// Begins the reason of an attempt that the launcher stopped for its time, and of no other.
inline constexpr const char* kTimeLimit = "time limit of ";

// An attempt that ended without completing its run.
struct UnfinishedAttempt {
  std::string content_hash;
  ProcessEnd end;
  std::string reason;        // the log's last line; "" when it said nothing
  std::string ended_at;      // ISO 8601, UTC
  std::string log = {};      // in logs/: the file that its process wrote, a pack's its first run's
  bool interrupted() const;  // exit 3: a checkpoint is there, nothing went wrong
};

// Errors as append_notes (sweeps/status/note_files.h).
void append_unfinished(const SweepFolder& folder, const std::vector<UnfinishedAttempt>& attempts);
// The last of each run, by what its writer knew; of two whose writers knew nothing of each other
// the one whose clock said later. Lines that cannot be read are left out.
std::map<std::string, UnfinishedAttempt> read_last_unfinished(const SweepFolder& folder);

// A log's line as it may be shown: control characters as spaces, cut to `most_bytes`.
std::string shown_line(std::string line, std::size_t most_bytes = 400);
// The last line of a file that is not blank, as it may be shown; "" when there is none or no file.
// Reads the file's end only.
std::string last_line(const std::filesystem::path& file, std::size_t most_bytes = 400);
// The last `count` of them, the oldest first, of `most_bytes` each; a line of which the beginning
// lies before the part that is read is not among them, unless it is the last.
std::vector<std::string> last_lines(const std::filesystem::path& file, std::size_t count,
                                    std::size_t most_bytes = 400);

}  // namespace scalelaw
