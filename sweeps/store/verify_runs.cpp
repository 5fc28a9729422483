#include "sweeps/store/verify_runs.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "sweeps/plan/reports.h"
#include "sweeps/status/named_cells.h"
#include "sweeps/store/folder_identity.h"
#include "sweeps/store/recomputed.h"
#include "trainer/atomic_file.h"
#include "trainer/attempt_cost.h"
#include "trainer/bytes_text.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/escaped.h"
#include "trainer/kept_checkpoint.h"
#include "trainer/run_digests.h"
#include "trainer/run_record.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kTrainAgain =
    "restore the folder from a copy, or move it away and give the command that trained it again";
constexpr const char* kNotNeeded = "remove it: the run is complete and does not need it";
constexpr const char* kSetAside = "remove it: no result depends on what was set aside";
constexpr const char* kGoesOn =
    "nothing: the run sets it aside and goes on from the one before, or from its start";

constexpr const char* kAltered = "is not the file that run.json was written with";

class RunVerifier {
 public:
  RunVerifier(const fs::path& runs, const StoreRun& run, VerifyResult& result)
      : folder_{runs / run.name}, name_(run.name), result_(result) {}

  void verify() {
    ++result_.runs;
    try_to("run.json", kTrainAgain, [this] { record_ = try_read_run_record(folder_); });
    verify_config();
    verify_attempts();
    verify_costs();
    if (record_) {
      verify_identity();
      verify_record();
      verify_metrics();
    }
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder_.path, error), end; !error && it != end;
         it.increment(error)) {
      if (it->is_regular_file()) verify_file(it->path());
    }
    if (error) add("", error.message(), "make the folder readable");
  }

 private:
  void add(const std::string& file, const std::string& what, const std::string& remedy) {
    result_.faults.push_back({name_, file, what, remedy});
  }

  void try_to(const std::string& file, const std::string& remedy,
              const std::function<void()>& read) {
    try {
      read();
    } catch (const std::exception& error) {
      add(file, error.what(), remedy);
    }
  }

  void verify_config() {
    const std::string remedy =
        record_ ? "restore it from a copy; the result in run.json stands without it"
                : "nothing: the command that trains the run writes it anew";
    try_to("config.yaml", remedy, [this] { config_ = read_run_config(folder_.config()); });
  }

  void verify_attempts() {
    std::vector<fs::path> damaged;
    if (record_) hash_ = record_->content_hash;
    try_to("attempts", "make the folder readable", [&] {
      const std::vector<Attempt> attempts = read_attempts(folder_, &damaged);
      if (!record_ && !attempts.empty()) hash_ = attempts.front().content_hash;
      const std::string other = other_run_of(attempts, hash_);
      if (!other.empty()) {
        add("attempts", "tell of several runs: " + hash_ + " and " + other, kTrainAgain);
      }
    });
    for (const fs::path& file : damaged) {
      add("attempts/" + file.filename().string(), "is damaged",
          "restore it from a copy, or remove it: no result depends on it");
    }
    if (!hash_.empty() && !name_.ends_with("-" + hash_.substr(0, 12))) {
      add("", "its name does not end in the content hash of the run that it holds, " + hash_,
          "give the folder its name again");
    }
  }

  void verify_identity() {
    if (!config_ || is_config_of(*config_, *record_)) return;
    add("config.yaml", "is not the configuration of run.json's content hash", kTrainAgain);
  }

  void verify_costs() {
    for (const AttemptCost& cost : read_costs(folder_)) {
      if (cost.is_known) continue;
      add(cost_file(folder_, cost.number).filename().string(),
          "cannot be read: what attempt " + std::to_string(cost.number) + " has cost is not known",
          "restore it from a copy, or remove it: no result depends on it");
    }
  }

  void verify_record() {
    try_to("run.json", kTrainAgain, [&] {
      for (const fs::path& file : {folder_.merged_metrics(), folder_.window_losses()}) {
        const std::string name = file.filename().string();
        if (!recorded_digest(name).empty() && !fs::exists(file)) {
          add(name, "is missing", "restore it from a copy");
        }
      }
      for (const auto& [set, result] : record_->test) {
        const std::string fault =
            fault_of_test(set, result, record_->shape.n_ctx, window_losses_of(set, result));
        if (!fault.empty()) add("run.json", fault, kTrainAgain);
      }
    });
  }

  // None where the file is not there, or says itself that it is damaged or of others, which
  // verify_tensors() tells.
  std::vector<float> window_losses_of(const std::string& set, const TestResult& result) const {
    std::vector<float> losses;
    if (!fs::exists(folder_.window_losses())) return losses;
    try {
      const SafetensorsFile file(folder_.window_losses());
      const SafetensorView& view = file.at(set);
      if (view.dtype != "F32" || view.shape != std::vector<int64_t>{result.windows}) return losses;
      losses.resize(view.bytes.size() / sizeof(float));
      std::memcpy(losses.data(), view.bytes.data(), view.bytes.size());
    } catch (const DamagedFile&) {
      losses.clear();
    }
    return losses;
  }

  // Of a file below the folder, "" where run.json has none.
  std::string recorded_digest(const std::string& name) const {
    if (!record_ || !record_->files) return "";
    const auto found = record_->files->find(name);
    return found == record_->files->end() ? "" : found->second;
  }

  bool is_as_recorded(const std::string& name) const {
    const std::string digest = recorded_digest(name);
    return digest.empty() || digest == digest_of(folder_.path / name);
  }

  void verify_metrics() {
    const std::string remedy = "restore it from a copy; the result in run.json stands without it";
    const std::string name = folder_.merged_metrics().filename().string();
    try_to(name, remedy, [&] {
      const std::vector<MetricsRow> rows = read_metrics(folder_);
      const std::string fault = fault_of_metrics(name, rows);
      if (!fault.empty()) return add(name, fault, remedy);
      if (record_->state == RunState::kDiverged) return;
      const std::string otherwise = fault_of_final_train_loss(*record_, rows);
      if (!otherwise.empty()) add("run.json", otherwise, kTrainAgain);
    });
  }

  std::string fault_of_metrics(const std::string& name, const std::vector<MetricsRow>& rows) const {
    const int64_t last = rows.empty() ? 0 : rows.back().step;
    const bool diverged = record_->state == RunState::kDiverged;
    if (diverged ? last > record_->steps : last != record_->steps) {
      return "ends at step " + std::to_string(last) + ", the run at " +
             std::to_string(record_->steps);
    }
    if (!fs::exists(folder_.merged_metrics())) return "";
    if (!is_as_recorded(name)) return kAltered;
    std::string fault = fault_of_lines(rows);
    if (!fault.empty()) return fault;
    const auto parts = merged_parts(folder_, *record_);
    if (!parts) return "";
    const auto [ours, theirs] = std::ranges::mismatch(rows, *parts, {}, to_json_line, to_json_line);
    if (ours == rows.end() && theirs == parts->end()) return "";
    const int64_t step = ours != rows.end() ? ours->step : theirs->step;
    return "and the attempts' own lines (metrics.0001.jsonl and on) differ at step " +
           std::to_string(step);
  }

  void verify_file(const fs::path& path) {
    const std::string name = path.lexically_relative(folder_.path).string();
    ++result_.files;
    if (name.starts_with(kBefore)) {
      const bool tensors = path.extension() == ".safetensors";
      try_to(name, kSetAside, [&] { tensors ? void(SafetensorsFile(path)) : read_through(path); });
      return;
    }
    if (path.extension() == ".safetensors") {
      const bool checkpoint = name.starts_with("checkpoints/");
      const char* remedy = !checkpoint ? "restore it from a copy; without it losses have standard "
                                         "errors over windows alone"
                           : record_   ? kNotNeeded
                                       : kGoesOn;
      try_to(name, remedy, [&] { verify_tensors(path, name, checkpoint, remedy); });
      return;
    }
    try_to(name, "make it readable, or restore it from a copy", [&] { read_through(path); });
  }

  void verify_tensors(const fs::path& path, const std::string& name, bool checkpoint,
                      const std::string& remedy) {
    const SafetensorsFile file(path);
    result_.bytes += fs::file_size(path);
    if (checkpoint) {
      const auto hash = file.metadata().find("content_hash");
      if (hash == file.metadata().end() || (!hash_.empty() && hash->second != hash_)) {
        return add(name, "is no checkpoint of this run", remedy);
      }
    } else if (record_) {
      for (const auto& [set, result] : record_->test) {
        if (file.at(set).shape != std::vector<int64_t>{result.windows}) {
          return add(name, "has other windows of " + set + " than run.json", remedy);
        }
      }
    }
    const std::string whole = cut_from(file.metadata());
    const bool is_of_recorded = !whole.empty() && whole == recorded_digest(name);
    if (!is_of_recorded && !is_as_recorded(name)) add(name, kAltered, remedy);
  }

  void read_through(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    std::string chunk(std::size_t{1} << 20, '\0');
    if (!stream) throw std::runtime_error(path.string() + ": cannot be opened");
    while (stream) {
      stream.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
      result_.bytes += static_cast<uint64_t>(stream.gcount());
    }
    if (stream.bad() || !stream.eof()) throw std::runtime_error(path.string() + ": cannot be read");
  }

  RunFolder folder_;
  const std::string& name_;
  VerifyResult& result_;
  std::optional<RunRecord> record_;
  std::optional<RunConfig> config_;
  std::string hash_;  // the content hash that the folder claims
};

}  // namespace

VerifyResult verify_runs(const fs::path& runs, const std::vector<StoreRun>& chosen) {
  VerifyResult result;
  for (const StoreRun& run : chosen) {
    if (run.state == CellState::kRunning) {
      result.running.push_back(run.name);
    } else {
      RunVerifier(runs, run, result).verify();
    }
  }
  return result;
}

std::string verify_text(const VerifyResult& result) {
  std::string text;
  for (const RunFault& fault : result.faults) {
    text += escaped(fault.run + (fault.file.empty() ? "" : "/" + fault.file)) + "\n  " +
            escaped(fault.what) + "\n  what to do: " + escaped(fault.remedy) + "\n";
  }
  for (const std::string& run : result.running) {
    text += escaped(run) + ": is running and was not looked at\n";
  }
  return text + counted(static_cast<int64_t>(result.runs), "run") + ", " +
         counted(static_cast<int64_t>(result.files), "file") + ", " +
         bytes_text(static_cast<double>(result.bytes)) + " read: " +
         (result.faults.empty() ? "all whole"
                                : counted(static_cast<int64_t>(result.faults.size()), "fault")) +
         "\n";
}

std::string verify_json(const VerifyResult& result) {
  Json faults = Json::array();
  for (const RunFault& fault : result.faults) {
    faults.push_back(
        {{"run", fault.run}, {"file", fault.file}, {"what", fault.what}, {"remedy", fault.remedy}});
  }
  const Json json = {{"runs", result.runs},
                     {"files", result.files},
                     {"bytes", result.bytes},
                     {"running", result.running},
                     {"faults", faults}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace scalelaw
