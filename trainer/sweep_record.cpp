#include "trainer/sweep_record.h"

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/enum_text.h"
#include "trainer/json_field.h"
#include "trainer/run_record_json.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const SweepCell& cell) {
  Json places = Json::array();
  for (const SweepPlace& place : cell.places) {
    places.push_back({{"arm", place.arm}, {"block", place.block}});
  }
  Json json = {{"content_hash", cell.content_hash}, {"folder", cell.folder}, {"places", places}};
  if (cell.is_trial) json["trial"] = true;
  if (cell.hold_out) {
    json["hold_out"] = {{"prediction", cell.hold_out->prediction},
                        {"n_non_embedding", cell.hold_out->n_non_embedding},
                        {"n_non_embedding_plus_head", cell.hold_out->n_non_embedding_plus_head},
                        {"n_total", cell.hold_out->n_total},
                        {"train_tokens", cell.hold_out->train_tokens},
                        {"arch", cell.hold_out->arch},
                        {"test_set", cell.hold_out->test_set}};
    if (!cell.hold_out->recipe_hash.empty()) {
      json["hold_out"]["recipe_hash"] = cell.hold_out->recipe_hash;
    }
  }
  if (cell.keep) json["keep"] = enum_text(*cell.keep);
  if (!cell.recipe.empty()) json["recipe"] = cell.recipe;
  return json;
}

KeptCheckpoint keep_from(const JsonField& field) {
  const auto keep = enum_from_text<KeptCheckpoint>(field.text("keep"));
  if (!keep) field.fail("keep", "must be whole, weights or none");
  return *keep;
}

HeldOut held_out_from(const JsonField& field) {
  return {.prediction = field.file_name("prediction"),
          .n_non_embedding = field.whole("n_non_embedding", 0),
          .n_non_embedding_plus_head = field.whole("n_non_embedding_plus_head", 0),
          .n_total = field.whole("n_total", 1),
          .train_tokens = field.whole("train_tokens", 1),
          .arch = field.text("arch"),
          .test_set = field.text_if("test_set"),
          .recipe_hash = field.text_if("recipe_hash")};
}

SweepCell cell_from(const JsonField& field) {
  SweepCell cell;
  cell.content_hash = field.text("content_hash");
  // The record may come from elsewhere: it must not lead a reader out of the store.
  cell.folder = field.file_name("folder");
  for (const JsonField& place : field.objects("places")) {
    cell.places.push_back({place.text("arm"), place.text("block")});
  }
  cell.is_trial = field.truth_if("trial");
  if (const auto held_out = field.object_if("hold_out")) cell.hold_out = held_out_from(*held_out);
  if (field.has("keep")) cell.keep = keep_from(field);
  cell.recipe = field.text_map_if("recipe");
  return cell;
}

SweepRecord record_from(const JsonField& field) {
  SweepRecord record;
  record.name = field.text("name");
  record.spec_file = field.text("spec_file");
  record.spec_hash = field.text("spec_hash");
  record.file_hash = field.text_if("file_hash");
  for (const JsonField& cell : field.objects("cells")) record.cells.push_back(cell_from(cell));
  if (field.has("waiting")) record.waiting = field.whole("waiting", 0);
  if (field.has("open")) record.open = field.whole("open", 0);
  return record;
}

}  // namespace

double HeldOut::n(NCount convention) const {
  switch (convention) {
    case NCount::kNonEmbedding:
      return static_cast<double>(n_non_embedding);
    case NCount::kNonEmbeddingPlusHead:
      return static_cast<double>(n_non_embedding_plus_head);
    case NCount::kTotal:
      break;
  }
  return static_cast<double>(n_total);
}

std::string study_of(std::string_view sweep_name) {
  const std::size_t ending = sweep_name.rfind(kSettingsEnding);
  if (ending == std::string_view::npos) return "";
  const std::string_view digits = sweep_name.substr(ending + std::strlen(kSettingsEnding));
  const bool is_hash = digits.size() == kSettingsDigits &&
                       digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return is_hash ? std::string(sweep_name.substr(0, ending)) : "";
}

std::filesystem::path sweep_record_file(const std::filesystem::path& runs, std::string_view name) {
  return runs / "sweeps" / (std::string(name) + ".json");
}

void write_sweep_record(const std::filesystem::path& file, const SweepRecord& record) {
  Json cells = Json::array();
  for (const SweepCell& cell : record.cells) cells.push_back(to_json(cell));
  const Json json = {{"version", record.version},     {"name", record.name},
                     {"spec_file", record.spec_file}, {"spec_hash", record.spec_hash},
                     {"file_hash", record.file_hash}, {"waiting", record.waiting},
                     {"open", record.open},           {"cells", cells}};
  // A command line's path may hold bytes that are no UTF-8.
  const std::string text = json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::error_code none;
  if (std::filesystem::exists(file, none) && read_whole_file(file) == text) return;
  write_atomically(file, text);
}

SweepRecord sweep_record_from_json(std::string_view text) {
  const nlohmann::json json = parse_json(text);
  const JsonField root(json);
  root.require_version(kSweepRecordVersion, "the sweep's record");
  return record_from(root);
}

SweepRecord read_sweep_record(const std::filesystem::path& file) {
  const std::string content = read_whole_file(file);
  try {
    return sweep_record_from_json(content);
  } catch (const OtherVersion& error) {
    throw ConfigError(file.string() + ": " + error.what());
  } catch (const std::runtime_error& error) {
    throw ConfigError(file.string() + ": is damaged or no sweep's record: " + error.what() +
                      "; move it away, and `scalelaw sweep run` of the sweep's file writes it "
                      "anew (complete runs are kept)");
  }
}

std::vector<SweepCell> trials_of_store(const std::filesystem::path& runs) {
  namespace fs = std::filesystem;
  std::map<std::string, SweepCell> trials;
  std::set<std::string> results;
  std::error_code none;
  for (fs::directory_iterator it(runs / "sweeps", none), end; !none && it != end;
       it.increment(none)) {
    if (it->path().extension() != ".json") continue;
    try {
      for (SweepCell& cell : read_sweep_record(it->path()).cells) {
        if (!cell.is_trial) {
          results.insert(cell.content_hash);
        } else {
          trials.emplace(cell.content_hash, std::move(cell));
        }
      }
    } catch (const std::runtime_error&) {
      continue;
    }
  }
  std::vector<SweepCell> all;
  for (auto& [content_hash, cell] : trials) {
    if (!results.contains(content_hash)) all.push_back(std::move(cell));
  }
  return all;
}

}  // namespace scalelaw
