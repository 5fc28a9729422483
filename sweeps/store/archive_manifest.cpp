#include "sweeps/store/archive_manifest.h"
#include "trainer/escaped.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "trainer/hash.h"
#include "trainer/prediction.h"
#include "trainer/run_record_json.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "scalelaw runs";
constexpr std::size_t kLongestName = 200;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// PREFIX digits SUFFIX, with as many digits or, of a number that has outgrown them, more.
bool is_numbered(std::string_view name, std::string_view prefix, std::size_t digits,
                 std::string_view suffix) {
  if (name.size() < prefix.size() + digits + suffix.size()) return false;
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return false;
  const std::string_view number =
      name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  return number.size() < 20 && std::ranges::all_of(number, is_digit);
}

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

ArchivedFile file_from(const nlohmann::json& json) {
  ArchivedFile file;
  file.name = json.at("name").get<std::string>();
  require(json.at("bytes").is_number_unsigned(), "the bytes of a file are no whole number");
  file.bytes = json.at("bytes").get<uint64_t>();
  file.xxh3_128 = json.at("xxh3_128").get<std::string>();
  require(is_hash(file.xxh3_128), "a file's hash is none");
  return file;
}

ArchivedRun run_from(const nlohmann::json& json) {
  ArchivedRun run;
  run.folder = json.at("folder").get<std::string>();
  run.content_hash = json.at("content_hash").get<std::string>();
  for (const auto& file : json.at("files")) run.files.push_back(file_from(file));
  const std::string why = why_not_carried(run);
  require(why.empty(), why);
  return run;
}

std::vector<ArchivedFile> predictions_from(const nlohmann::json& json) {
  std::vector<ArchivedFile> predictions;
  std::set<std::string> names;
  for (const auto& prediction : json) {
    predictions.push_back(file_from(prediction));
    const std::string& name = predictions.back().name;
    require(is_sweep_record_name(name), "a prediction may not be called " + escaped(name));
    require(names.insert(name).second, "the prediction " + name + " stands twice");
  }
  return predictions;
}

Json json_of(const std::vector<ArchivedFile>& files) {
  Json list = Json::array();
  for (const ArchivedFile& file : files) {
    list.push_back({{"name", file.name}, {"bytes", file.bytes}, {"xxh3_128", file.xxh3_128}});
  }
  return list;
}

// Metrics and tensors grow with the run, and --max-bytes alone bounds them.
uint64_t most_bytes(std::string_view name) {
  if (name == "run.json") return kMostRunRecordBytes;
  const bool is_note =
      name == "config.yaml" || name.starts_with("attempts/") || name.starts_with("cost.");
  return is_note ? kMostRunNoteBytes : std::numeric_limits<uint64_t>::max();
}

uint64_t saturated_sum(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<uint64_t>::max() : sum;
}

uint64_t sum_of_bytes(const std::vector<ArchivedFile>& files) {
  uint64_t sum = 0;
  for (const ArchivedFile& file : files) sum = saturated_sum(sum, file.bytes);
  return sum;
}

}  // namespace

uint64_t ArchiveManifest::files() const {
  uint64_t count = sweeps.size() + predictions.size();
  for (const ArchivedRun& run : runs) count += run.files.size();
  return count;
}

uint64_t ArchivedRun::bytes() const {
  return sum_of_bytes(files);
}

uint64_t ArchiveManifest::bytes() const {
  uint64_t sum = saturated_sum(sum_of_bytes(sweeps), sum_of_bytes(predictions));
  for (const ArchivedRun& run : runs) sum = saturated_sum(sum, run.bytes());
  return sum;
}

bool is_run_folder_name(std::string_view name) {
  const auto may_stand = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' && name != "sweeps" &&
         name != kPredictionsFolder && std::ranges::all_of(name, may_stand);
}

bool is_sweep_record_name(std::string_view name) {
  return name.ends_with(".json") && is_run_folder_name(name);
}

std::string record_of_exclusion(std::string_view name) {
  constexpr std::string_view kBetween = ".excluded/", kEnding = ".json";
  const std::size_t at = name.find(kBetween);
  if (at == std::string_view::npos || !name.ends_with(kEnding)) return "";
  const std::string_view hash = name.substr(at + kBetween.size());
  std::string record = std::string(name.substr(0, at)) + std::string(kEnding);
  const bool is_one =
      is_sweep_record_name(record) && is_hash(hash.substr(0, hash.size() - kEnding.size()));
  return is_one ? record : "";
}

bool is_carried_file(std::string_view name, bool weights) {
  for (const char* known :
       {"config.yaml", "run.json", "metrics.jsonl", "window_losses.safetensors"}) {
    if (name == known) return true;
  }
  return is_numbered(name, "metrics.", 4, ".jsonl") || is_numbered(name, "attempts/", 4, ".json") ||
         is_numbered(name, "cost.", 4, ".json") ||
         (weights && is_numbered(name, "checkpoints/step-", 12, ".safetensors"));
}

std::string why_not_carried(const ArchivedRun& run) {
  const std::string folder = escaped(run.folder);
  if (!is_run_folder_name(run.folder)) return "a run's folder may not be called " + folder;
  if (!is_hash(run.content_hash) || !run.folder.ends_with("-" + run.content_hash.substr(0, 12))) {
    return "the name of " + folder + " does not end in its content hash, " +
           escaped(run.content_hash);
  }
  std::set<std::string> names;
  for (const ArchivedFile& file : run.files) {
    if (!is_carried_file(file.name, true)) return escaped(file.name) + " is no file of a run";
    if (!names.insert(file.name).second) return folder + "/" + file.name + " stands twice";
    if (const uint64_t most = most_bytes(file.name); file.bytes > most) {
      return folder + "/" + file.name + " has " + std::to_string(file.bytes) +
             " bytes; such a file has at most " + std::to_string(most);
    }
  }
  const bool whole = names.contains("run.json") && names.contains("config.yaml");
  return whole ? "" : folder + " comes without its run.json or config.yaml";
}

std::string why_not_carried(const std::vector<ArchivedFile>& sweeps,
                            const std::vector<ArchivedFile>& predictions) {
  const auto why_too_large = [](const std::string& path, uint64_t bytes, uint64_t most,
                                const char* kind) -> std::string {
    if (bytes <= most) return "";
    return escaped(path) + " has " + std::to_string(bytes) + " bytes; " + kind + " has at most " +
           std::to_string(most);
  };
  std::string why;
  for (const ArchivedFile& file : sweeps) {
    const bool is_record = record_of_exclusion(file.name).empty();
    why = why_too_large("sweeps/" + file.name, file.bytes,
                        is_record ? kMostRecordBytes : kMostExclusionBytes,
                        is_record ? "a sweep's record" : "an exclusion");
    if (!why.empty()) return why;
  }
  for (const ArchivedFile& file : predictions) {
    why = why_too_large(std::string(kPredictionsFolder) + "/" + file.name, file.bytes,
                        kMostPredictionBytes, "a prediction");
    if (!why.empty()) return why;
  }
  if (saturated_sum(sum_of_bytes(sweeps), sum_of_bytes(predictions)) > kMostSweepsBytes) {
    return "records, exclusions and predictions have more than " +
           std::to_string(kMostSweepsBytes) + " bytes";
  }
  return "";
}

std::string to_json(const ArchiveManifest& manifest) {
  Json runs = Json::array();
  for (const ArchivedRun& run : manifest.runs) {
    runs.push_back({{"folder", run.folder},
                    {"content_hash", run.content_hash},
                    {"files", json_of(run.files)}});
  }
  Json json = {{"format", kFormat},
               {"version", kArchiveVersion},
               {"program_version", manifest.program_version},
               {"runs", runs},
               {"sweeps", json_of(manifest.sweeps)}};
  if (!manifest.predictions.empty()) json["predictions"] = json_of(manifest.predictions);
  return json.dump(1) + "\n";
}

ArchiveManifest manifest_from_json(const std::string& text) {
  const nlohmann::json json = parse_json(text);
  ArchiveManifest manifest;
  try {
    require(json.at("format") == kFormat, "is of another format");
    require(json.at("version") == kArchiveVersion, "is of version " + json.at("version").dump() +
                                                       "; this program knows version " +
                                                       std::to_string(kArchiveVersion));
    manifest.program_version = json.at("program_version").get<std::string>();
    std::set<std::string> folders;
    for (const auto& run : json.at("runs")) {
      manifest.runs.push_back(run_from(run));
      const std::string& folder = manifest.runs.back().folder;
      require(folders.insert(folder).second, "the run " + folder + " stands twice");
    }
    for (const auto& sweep : json.at("sweeps")) {
      manifest.sweeps.push_back(file_from(sweep));
      const std::string& name = manifest.sweeps.back().name;
      require(is_sweep_record_name(name) || !record_of_exclusion(name).empty(),
              "a sweep's record may not be called " + escaped(name));
      require(folders.insert("sweeps/" + name).second, "sweeps/" + name + " stands twice");
    }
    if (json.contains("predictions")) {
      manifest.predictions = predictions_from(json.at("predictions"));
    }
    const std::string why = why_not_carried(manifest.sweeps, manifest.predictions);
    require(why.empty(), why);
    for (const ArchivedFile& file : manifest.sweeps) {
      const std::string record = record_of_exclusion(file.name);
      require(record.empty() || folders.contains("sweeps/" + record),
              file.name + " comes without its sweep's record");
    }
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(std::string("is not as it should be: ") + error.what());
  }
  return manifest;
}

}  // namespace scalelaw
