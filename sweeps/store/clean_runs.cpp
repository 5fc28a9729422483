#include "sweeps/store/clean_runs.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "sweeps/plan/reports.h"
#include "sweeps/status/named_cells.h"
#include "sweeps/store/checkpoint_wishes.h"
#include "sweeps/store/import_runs.h"
#include "trainer/atomic_file.h"
#include "trainer/bytes_text.h"
#include "trainer/checkpoint_files.h"
#include "trainer/disk_space.h"
#include "trainer/escaped.h"
#include "trainer/folder_lock.h"
#include "trainer/kept_checkpoint.h"
#include "trainer/prediction.h"
#include "trainer/run_lease.h"
#include "trainer/run_record.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kDraft = ".draft-";
constexpr const char* kRejected = ".rejected";

class Cleaner {
 public:
  Cleaner(const fs::path& runs, const CleanOptions& options)
      : runs_(runs), options_(options), wishes_(options.sweep) {
    if (options.keep != KeepCheckpoints::kAsked) return;
    for (const std::string& why : options.unread) {
      result_.left.push_back(why +
                             "; what it asks to keep is not known, and so every complete run "
                             "keeps its last checkpoint whole; run that sweep, which writes its "
                             "record, before this again");
    }
  }

  void clean(const StoreRun& run) {
    const RunFolder folder{runs_ / run.name};
    try {
      if (const auto holder = lease_holder(folder.path)) throw_in_use(folder.path, *holder);
      std::optional<RunLease> lease;
      if (!options_.dry_run) take(lease, folder);
      // As it is now that nobody else holds it, and as its file says.
      clean_held(run, folder, try_read_run_record(folder));
    } catch (const std::runtime_error& error) {
      result_.left.emplace_back(error.what());
    }
  }

  void clean_store() {
    using std::chrono::hours;
    // A dry run makes no file, and a full disk takes none: this machine's clock then.
    fs::file_time_type now = fs::file_time_type::clock::now();
    if (!options_.dry_run) now = time_in(runs_).value_or(now);
    remove_where(runs_, [&](const fs::path& path) {
      const std::string name = path.filename().string();
      return (name.starts_with(kDraft) && is_older(path, now - hours(1))) ||
             (name.starts_with(kImportPrefix) && is_older(path, now - hours(24)));
    });
    remove_where(runs_ / kPredictionsFolder, [&](const fs::path& path) {
      return is_draft(path) && is_older(path, now - hours(1));
    });
  }

  CleanResult take() {
    result_.notes = wishes_.sentences(options_.keep == KeepCheckpoints::kAsked);
    return std::move(result_);
  }

 private:
  // A full disk has no room for a lease, and is why somebody cleans. Of a run that has its result
  // and no holder nobody wants what goes.
  static void take(std::optional<RunLease>& lease, const RunFolder& folder) {
    try {
      lease.emplace(folder.path);
    } catch (const DiskFull&) {
      if (!try_read_run_record(folder)) throw;
    }
  }

  static bool is_older(const fs::path& path, fs::file_time_type than) {
    std::error_code gone;
    const auto written = fs::last_write_time(path, gone);
    return !gone && written < than;
  }

  static bool is_draft(const fs::path& path) {
    return path.filename().string().starts_with(kDraft);
  }

  // Of what `retry --from-scratch` set aside: its record and metrics are nowhere else.
  void remove_checkpoints_before(const RunFolder& folder) {
    std::vector<fs::path> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder.path, none)) {
      if (!entry.path().filename().string().starts_with(kBefore)) continue;
      const RunFolder before{entry.path()};
      if (fs::is_directory(entry.symlink_status(none)) && fs::exists(before.checkpoints(), none)) {
        found.push_back(before.checkpoints());
      }
    }
    for (const fs::path& checkpoints : found) remove(checkpoints);
  }

  // Of a complete run's last checkpoint.
  KeptCheckpoint kept_of(const StoreRun& run, const RunFolder& folder) const {
    switch (options_.keep) {
      case KeepCheckpoints::kNone:
        return KeptCheckpoint::kNone;
      case KeepCheckpoints::kWeights:
        return KeptCheckpoint::kWeights;
      case KeepCheckpoints::kAsConfigured:
        return kept_as_configured(folder);
      case KeepCheckpoints::kAsked:
        return options_.unread.empty() ? kept_as_asked(run, folder) : KeptCheckpoint::kWhole;
      case KeepCheckpoints::kLast:
      case KeepCheckpoints::kAll:
        break;
    }
    return KeptCheckpoint::kWhole;
  }

  void clean_checkpoints(const StoreRun& run, const RunFolder& folder, RunState state) {
    const std::vector<int64_t> steps = checkpoint_steps(folder);
    if (options_.keep == KeepCheckpoints::kAll || steps.empty()) return;
    const fs::path last = checkpoint_file(folder, steps.front());
    if (state != RunState::kComplete && options_.keep != KeepCheckpoints::kNone) {
      remove_older(folder, steps, 2);
      return;
    }
    const KeptCheckpoint keep = kept_of(run, folder);
    bool goes = false;
    if (keep == KeptCheckpoint::kNone) {
      for (const int64_t step : steps) remove(checkpoint_file(folder, step));
      goes = true;
    } else if (remove_older(folder, steps, 1) && keep == KeptCheckpoint::kWeights) {
      goes = cut_to_weights(last);
    }
    if (options_.keep == KeepCheckpoints::kAsked) {
      wishes_.note_kept(run, keep);
    } else if (goes) {
      wishes_.note_cut(run, keep);
    }
  }

  // All but the newest `stay`. False: none, the newest one cannot take their place.
  bool remove_older(const RunFolder& folder, const std::vector<int64_t>& steps, std::size_t stay) {
    if (steps.size() <= stay) return true;
    try {
      SafetensorsFile(checkpoint_file(folder, steps.front()));  // its hashes
    } catch (const std::runtime_error& error) {
      result_.left.push_back(std::string(error.what()) +
                             "; it and the older checkpoints beside it stay");
      return false;
    }
    for (std::size_t i = stay; i < steps.size(); ++i) remove(checkpoint_file(folder, steps[i]));
    return true;
  }

  // False: nothing went.
  bool cut_to_weights(const fs::path& checkpoint) {
    try {
      const uint64_t bytes = bytes_beside_weights(checkpoint);
      if (bytes == 0) return false;
      if (!options_.dry_run) keep_weights_alone(checkpoint);
      result_.removed.push_back({checkpoint.lexically_relative(runs_).string(), bytes, true});
      return true;
    } catch (const std::runtime_error& error) {
      result_.left.push_back(std::string(error.what()) + "; it stays as it is");
      return false;
    }
  }

  void clean_held(const StoreRun& run, const RunFolder& folder,
                  const std::optional<RunRecord>& record) {
    for (const fs::path& place : {folder.path, folder.attempts(), folder.checkpoints()}) {
      remove_where(place, is_draft);
    }
    if (!record) return;
    remove_where(folder.checkpoints(),
                 [](const fs::path& path) { return path.extension() == kRejected; });
    remove_checkpoints_before(folder);
    clean_checkpoints(run, folder, record->state);
    if (options_.logs) remove_logs(folder.path.filename().string() + ".log");
  }

  void remove_logs(const std::string& log) {
    std::error_code none;
    for (const auto& sweep : fs::directory_iterator(runs_ / "sweeps", none)) {
      const fs::path file = sweep.path() / "logs" / log;
      if (fs::exists(file, none)) remove(file);
    }
  }

  template <typename Chosen>
  void remove_where(const fs::path& folder, const Chosen& chosen) {
    std::vector<fs::path> files;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none)) {
      if (chosen(entry.path())) files.push_back(entry.path());
    }
    for (const fs::path& file : files) remove(file);
  }

  static uint64_t bytes_of(const fs::path& path) {
    std::error_code none;
    if (!fs::is_directory(fs::symlink_status(path, none))) {
      const uintmax_t bytes = fs::file_size(path, none);
      return none ? 0 : bytes;
    }
    uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(path, none)) {
      if (entry.is_regular_file(none)) bytes += entry.file_size(none);
    }
    return bytes;
  }

  void remove(const fs::path& path) {
    const Removal removal{path.lexically_relative(runs_).string(), bytes_of(path)};
    std::error_code error;
    if (!options_.dry_run) fs::remove_all(path, error);
    if (error) {
      result_.left.push_back(path.string() + ": cannot be removed: " + error.message());
    } else {
      result_.removed.push_back(removal);
    }
  }

  const fs::path& runs_;
  const CleanOptions& options_;
  CleanResult result_;
  CheckpointWishes wishes_;
};

}  // namespace

uint64_t CleanResult::bytes() const {
  uint64_t sum = 0;
  for (const Removal& removal : removed) sum += removal.bytes;
  return sum;
}

CleanResult clean_runs(const fs::path& runs, const std::vector<StoreRun>& chosen,
                       const CleanOptions& options) {
  Cleaner cleaner(runs, options);
  for (const StoreRun& run : chosen) cleaner.clean(run);
  if (options.store) cleaner.clean_store();
  return cleaner.take();
}

std::string clean_text(const CleanResult& result, bool dry_run) {
  std::string text;
  for (const Removal& removal : result.removed) {
    text += std::string(dry_run ? "would remove " : "removed ") +
            (removal.weights_stay ? "all but the weights of " : "") + escaped(removal.file) + "  " +
            bytes_text(static_cast<double>(removal.bytes)) + "\n";
  }
  for (const std::string& sentence : result.notes) text += "note: " + escaped(sentence) + "\n";
  for (const std::string& sentence : result.left) text += "left: " + escaped(sentence) + "\n";
  return text + counted(static_cast<int64_t>(result.removed.size()), "file") + ", " +
         bytes_text(static_cast<double>(result.bytes())) +
         (dry_run ? " would be freed\n" : " freed\n");
}

std::string clean_json(const CleanResult& result) {
  Json removed = Json::array();
  for (const Removal& removal : result.removed) {
    removed.push_back(
        {{"file", removal.file}, {"bytes", removal.bytes}, {"weights_stay", removal.weights_stay}});
  }
  const Json json = {{"removed", removed},
                     {"bytes", result.bytes()},
                     {"left", result.left},
                     {"notes", result.notes}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace scalelaw
