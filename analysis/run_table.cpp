#include "analysis/run_table.h"

#include <algorithm>
#include <cmath>

#include "trainer/config_error.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

bool is_run_folder(const fs::path& path) {
  const RunFolder folder{path};
  return fs::exists(folder.record()) || fs::exists(folder.config()) ||
         fs::exists(folder.attempts());
}

std::string last_part(const fs::path& path) {
  const fs::path clean = fs::absolute(path).lexically_normal();
  return (clean.has_filename() ? clean.filename() : clean.parent_path().filename()).string();
}

// Where a run is asked for: a sweep names the cell's arms, a folder names none.
struct Asked {
  std::optional<std::string> arm;  // "": the architecture's name
  std::string content_hash;        // "": any
};

void exclude_once(RunTable& table, const Exclusion& exclusion, bool any_arm) {
  for (const Exclusion& e : table.excluded) {
    if (e.folder_name == exclusion.folder_name && (any_arm || e.arm == exclusion.arm)) return;
  }
  table.excluded.push_back(exclusion);
}

void add_run(RunTable& table, const fs::path& path, const Asked& asked) {
  const std::string name = last_part(path);
  const std::string& content_hash = asked.content_hash;
  std::string arm = asked.arm.value_or("");
  const auto exclude = [&](const std::string& reason) {
    exclude_once(table, {name, arm, reason}, !asked.arm);
  };
  if (!fs::is_directory(path)) return exclude("not started");
  RunRow row;
  row.folder.path = path;
  row.folder_name = name;
  try {
    std::optional<RunRecord> record = try_read_run_record(row.folder);
    if (!record) return exclude("not complete: the command that started it resumes it");
    row.record = std::move(*record);
  } catch (const std::runtime_error& error) {
    return exclude(std::string("cannot be read: ") + error.what());
  }
  if (arm.empty()) arm = row.record.shape.arch;
  row.arm = arm;
  if (!content_hash.empty() && row.record.content_hash != content_hash) {
    return exclude("its content hash is not the one in the sweep's record");
  }
  if (row.record.state == RunState::kDiverged) return exclude("diverged");
  for (const RunRow& other : table.rows) {
    // The same run again. A path that names no arm adds none to those a sweep gave it.
    if (other.record.content_hash == row.record.content_hash &&
        (!asked.arm || other.arm == row.arm)) {
      return;
    }
  }
  table.rows.push_back(std::move(row));
}

void add_sweep(RunTable& table, const fs::path& file) {
  SweepRecord sweep;
  try {
    sweep = read_sweep_record(file);
  } catch (const std::runtime_error& error) {
    throw ConfigError(error.what());
  }
  const fs::path runs = fs::absolute(file).parent_path().parent_path();
  for (const SweepCell& cell : sweep.cells) {
    for (const SweepPlace& place : cell.places) {
      add_run(table, runs / cell.folder, {place.arm, cell.content_hash});
    }
  }
}

void add_folder(RunTable& table, const fs::path& path) {
  if (is_run_folder(path)) return add_run(table, path, {});
  std::vector<fs::path> runs;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (entry.is_directory() && is_run_folder(entry.path())) runs.push_back(entry.path());
  }
  if (runs.empty()) {
    throw ConfigError(path.string() +
                      ": holds no run folder; give a sweep's record (RUNS/sweeps/NAME.json), a "
                      "folder of runs or run folders");
  }
  std::sort(runs.begin(), runs.end());
  for (const fs::path& run : runs) add_run(table, run, {});
}

}  // namespace

std::string_view name(LossMetric metric) {
  return metric == LossMetric::kNatsPerToken ? "nats_per_token" : "bits_per_byte";
}

std::string_view unit(LossMetric metric) {
  return metric == LossMetric::kNatsPerToken ? "nats per token" : "bits per byte";
}

double RunRow::n(NCount convention) const {
  return n_params(record.shape, record.counts, convention);
}

double RunRow::training_flops() const {
  return d_tokens() * training_flops_per_token(record.shape, record.counts, CCount::kExactCausal);
}

double RunRow::embedding_share() const {
  const ParameterCounts& p = record.counts.parameters;
  return static_cast<double>(p.token_embedding + p.position_embedding) /
         static_cast<double>(p.total());
}

double RunRow::head_share() const {
  const double with_head = n(NCount::kNonEmbeddingPlusHead);
  return with_head > 0 ? 1 - n(NCount::kNonEmbedding) / with_head : 0;
}

double RunRow::loss(const std::string& test_set, LossMetric metric) const {
  const TestResult& result = record.test.at(test_set);
  return metric == LossMetric::kNatsPerToken ? result.loss_nats : result.bits_per_byte;
}

double RunRow::loss_standard_error(const std::string& test_set, LossMetric metric) const {
  const TestResult& result = record.test.at(test_set);
  return result.standard_error_nats * loss(test_set, metric) / result.loss_nats;
}

std::vector<std::string> RunTable::arms() const {
  std::vector<std::string> names;
  for (const RunRow& row : rows) {
    if (std::find(names.begin(), names.end(), row.arm) == names.end()) names.push_back(row.arm);
  }
  return names;
}

RunTable read_runs(const std::vector<fs::path>& paths) {
  RunTable table;
  for (const fs::path& path : paths) {
    if (!fs::exists(path)) {
      throw ConfigError(path.string() +
                        ": not there; give a sweep's record (RUNS/sweeps/NAME.json), a folder of "
                        "runs or run folders");
    }
    table.source += (table.source.empty() ? "" : ", ") + last_part(path);
  }
  for (const fs::path& path : paths) {
    if (!fs::is_directory(path)) add_sweep(table, path);
  }
  for (const fs::path& path : paths) {  // after the sweeps, which know the arms
    if (fs::is_directory(path)) add_folder(table, path);
  }
  return table;
}

}  // namespace scalelaw
