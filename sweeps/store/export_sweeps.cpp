#include "sweeps/store/export_sweeps.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "sweeps/store/archive_manifest.h"
#include "sweeps/store/sweep_predictions.h"
#include "trainer/atomic_file.h"
#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/prediction.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

void require_exclusion(const fs::path& file) {
  try {
    exclusion_from_json(read_whole_file(file));
  } catch (const std::runtime_error& error) {
    throw ConfigError(file.string() + ": is damaged: " + error.what() +
                      "; exclude the run anew, with its reason, or take it in again");
  }
}

std::vector<std::string> exclusions_of(const fs::path& runs, const SweepRecord& record) {
  std::vector<std::string> names;
  const fs::path folder = exclusions_folder(sweep_record_file(runs, record.name));
  if (!fs::exists(folder)) return names;
  std::set<std::string> hashes;
  for (const SweepCell& cell : record.cells) hashes.insert(cell.content_hash);
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().lexically_relative(runs / "sweeps").string();
    if (record_of_exclusion(name).empty()) continue;  // a draft
    if (!hashes.contains(entry.path().stem().string())) continue;
    require_exclusion(entry.path());
    names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

// Exclusions that hold and are not among the sweep's `own`; "": none.
std::string of_study(const fs::path& runs, const SweepRecord& record, std::size_t own) {
  const fs::path file = sweep_record_file(runs, record.name);
  const auto in_force = std::ranges::count_if(record.cells, [&](const SweepCell& cell) {
    return exclusion_reason(file, cell.content_hash).has_value();
  });
  if (std::cmp_less_equal(in_force, own)) return "";
  const std::string study = study_of(record.name);
  return "the exclusions of sweep " + study + ", which hold for " + record.name +
         " here; where this is imported its fits have those runs; export --sweep " + study +
         " carries them";
}

std::vector<std::string> predictions_of(const fs::path& runs, const SweepRecord& record,
                                        std::vector<std::string>& unreadable) {
  std::set<std::string> chosen;
  for (const SweepCell& cell : record.cells) {
    if (cell.hold_out) chosen.insert(cell.hold_out->prediction);
  }
  std::erase_if(chosen, [&](const std::string& name) { return !find_prediction(runs, name); });
  for (const Prediction& prediction : predictions_of_store(runs, unreadable)) {
    if (is_of_sweep(prediction, record)) chosen.insert(prediction.name);
  }
  std::vector<std::string> names;
  for (const std::string& prediction : chosen) {
    names.push_back(prediction + ".json");
    if (is_sweep_record_name(names.back())) continue;
    throw ConfigError("sweep " + record.name + ": the name of its prediction " +
                      escaped(prediction) + " may not stand in an archive; choose its runs by " +
                      "--where 'sweeps == NAME'");
  }
  return names;
}

}  // namespace

SweepParts parts_of_sweep(const fs::path& runs, const std::string& sweep) {
  const std::string name = sweep + ".json";
  if (!is_sweep_record_name(name)) {
    throw ConfigError("--sweep " + escaped(sweep) +
                      ": its record's name may not stand in an archive; choose its runs by "
                      "--where 'sweeps == NAME'");
  }
  const SweepRecord record = read_sweep_record(sweep_record_file(runs, sweep));
  if (record.name != sweep) {  // a copy under another name
    throw ConfigError("no import would take it: sweeps/" + name +
                      " is the record of another sweep, " + escaped(record.name) +
                      "; --where 'sweeps == NAME' exports the runs alone");
  }
  SweepParts parts;
  parts.sweeps = exclusions_of(runs, record);
  parts.predictions = predictions_of(runs, record, parts.left_behind);
  if (const std::string sentence = of_study(runs, record, parts.sweeps.size()); !sentence.empty()) {
    parts.left_behind.push_back(sentence);
  }
  parts.sweeps.push_back(name);
  return parts;
}

}  // namespace scalelaw
