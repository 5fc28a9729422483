// `scalelaw runs show` and `diff`: one run's folder, and how two differ.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sweeps/store/store_runs.h"
#include "trainer/run_record.h"

namespace scalelaw {

struct RunFile {
  std::string name;  // below the run's folder
  uintmax_t bytes = 0;
};

// All that is known of a run.
struct RunPage {
  StoreRun run;
  std::vector<std::pair<std::string, std::string>> config;  // key, text; empty where unreadable
  std::vector<Attempt> attempts;
  std::optional<RunRecord> record;
  std::vector<RunFile> files;       // by name
  std::vector<std::string> faults;  // what could not be read, in words
};
RunPage read_run_page(const std::filesystem::path& runs, StoreRun run);

// For a terminal: names and texts of the folder are escaped.
std::string page_text(const RunPage& page);
std::string page_json(const RunPage& page);

// Keys of the configuration and results that are not the same.
std::string diff_text(const RunPage& one, const RunPage& two);
std::string diff_json(const RunPage& one, const RunPage& two);

}  // namespace scalelaw
