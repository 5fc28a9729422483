#include "trainer/prediction.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/json_field.h"
#include "trainer/run_digests.h"
#include "trainer/run_record_json.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const PredictingLaw& law) {
  Json constants = Json::array();
  for (const LawConstant& constant : law.constants) {
    constants.push_back({{"symbol", constant.symbol}, {"value", constant.value}});
  }
  return {{"id", law.id}, {"formula", law.formula}, {"over", law.over}, {"constants", constants}};
}

Json json_of(const PredictedCell& cell) {
  Json laws = Json::array();
  for (const PredictingLaw& law : cell.laws) laws.push_back(json_of(law));
  Json json = {{"content_hash", cell.content_hash},
               {"folder", cell.folder},
               {"arm", cell.arm},
               {"n", cell.n},
               {"d", cell.d},
               {"loss", cell.loss},
               {"low", cell.low},
               {"high", cell.high},
               {"laws", laws},
               {"why", cell.why},
               {"runs", cell.runs},
               {"beyond", cell.beyond},
               {"seen", cell.seen}};
  if (!cell.other_recipe.empty()) json["other_recipe"] = cell.other_recipe;
  return json;
}

PredictingLaw law_from(const JsonField& field) {
  PredictingLaw law{field.text("id"), field.text("formula"), field.text("over"), {}};
  for (const JsonField& constant : field.objects("constants")) {
    law.constants.push_back({constant.text("symbol"), constant.number("value")});
  }
  return law;
}

PredictedCell cell_from(const JsonField& field) {
  PredictedCell cell;
  cell.content_hash = field.text("content_hash");
  cell.folder = field.file_name("folder");
  cell.arm = field.text("arm");
  cell.n = field.positive("n");
  cell.d = field.positive("d");
  cell.loss = field.positive("loss");
  cell.low = field.positive("low");
  cell.high = field.positive("high");
  if (!(cell.low <= cell.loss && cell.loss <= cell.high)) {
    field.fail("loss", "must lie between low and high");
  }
  for (const JsonField& law : field.objects("laws")) cell.laws.push_back(law_from(law));
  cell.why = field.text("why");
  cell.runs = field.texts("runs");
  cell.beyond = field.positive_if("beyond").value_or(1);
  if (field.has("seen")) cell.seen = field.whole("seen", 0);
  cell.other_recipe = field.text_if("other_recipe");
  return cell;
}

Prediction prediction_from(const JsonField& field) {
  Prediction prediction;
  prediction.name = field.file_name("name");
  prediction.sweep = field.file_name("sweep");
  prediction.registered_at = field.text("registered_at");
  if (!is_utc_time(prediction.registered_at)) {
    field.fail("registered_at", "must be a time such as 2026-01-31T12:00:00Z");
  }
  prediction.n_count = field.text("n_count");
  if (!n_count_from(prediction.n_count)) field.fail("n_count", "must be a convention of N");
  prediction.test_set = field.text("test_set");
  prediction.metric = field.text("metric");
  prediction.level = field.positive("level");
  if (prediction.level >= 1) field.fail("level", "must be below 1");
  for (const JsonField& run : field.objects("runs")) {
    prediction.runs.push_back({run.text("content_hash"), run.file_name("folder")});
  }
  if (field.has("left_out")) {
    for (const JsonField& run : field.objects("left_out")) {
      prediction.left_out.push_back({run.file_name("folder"), run.text("reason")});
    }
  }
  std::set<std::string> hashes;
  for (const JsonField& cell : field.objects("cells")) {
    prediction.cells.push_back(cell_from(cell));
    if (hashes.insert(prediction.cells.back().content_hash).second) continue;
    cell.fail("content_hash", "must stand in one cell alone");
  }
  return prediction;
}

}  // namespace

const PredictedCell* Prediction::find(std::string_view content_hash) const {
  const auto found = std::find_if(cells.begin(), cells.end(), [&](const PredictedCell& cell) {
    return cell.content_hash == content_hash;
  });
  return found == cells.end() ? nullptr : &*found;
}

std::filesystem::path prediction_file(const std::filesystem::path& runs, std::string_view name) {
  return runs / kPredictionsFolder / (std::string(name) + ".json");
}

std::string to_json(const Prediction& prediction) {
  Json runs = Json::array(), left_out = Json::array(), cells = Json::array();
  for (const UsedRun& run : prediction.runs) {
    runs.push_back({{"content_hash", run.content_hash}, {"folder", run.folder}});
  }
  for (const UnusedRun& run : prediction.left_out) {
    left_out.push_back({{"folder", run.folder}, {"reason", run.reason}});
  }
  for (const PredictedCell& cell : prediction.cells) cells.push_back(json_of(cell));
  Json json = {{"version", prediction.version},
               {"name", prediction.name},
               {"sweep", prediction.sweep},
               {"registered_at", prediction.registered_at},
               {"n_count", prediction.n_count},
               {"test_set", prediction.test_set},
               {"metric", prediction.metric},
               {"level", prediction.level},
               {"runs", runs}};
  if (!left_out.empty()) json["left_out"] = left_out;
  json["cells"] = cells;
  return with_record_hash(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

bool publish_prediction(const std::filesystem::path& runs, const Prediction& prediction) {
  const std::filesystem::path file = prediction_file(runs, prediction.name);
  create_folders(file.parent_path());
  return publish_atomically(file, to_json(prediction));
}

Prediction prediction_from_json(std::string_view text) {
  const nlohmann::json json = parse_json(text);
  const JsonField root(json);
  root.require_version(kPredictionVersion, "predictions");
  return prediction_from(root);
}

Prediction registered_prediction_from_json(std::string_view text) {
  Prediction prediction = prediction_from_json(text);
  if (!has_record_hash(text)) throw std::runtime_error("it has no record_hash");
  if (!has_own_hash(text)) {
    throw std::runtime_error("it was edited after it was registered (record_hash differs)");
  }
  return prediction;
}

std::optional<Prediction> find_prediction(const std::filesystem::path& runs,
                                          std::string_view name) {
  const std::filesystem::path file = prediction_file(runs, name);
  std::error_code ignored;
  if (std::filesystem::status(file, ignored).type() == std::filesystem::file_type::not_found) {
    return std::nullopt;
  }
  const std::string content = read_whole_file(file);
  try {
    Prediction prediction = registered_prediction_from_json(content);
    if (prediction.name != name) {
      throw std::runtime_error("it is named " + nlohmann::json(prediction.name).dump());
    }
    return prediction;
  } catch (const OtherVersion& error) {
    throw ConfigError(file.string() + ": " + error.what());
  } catch (const std::runtime_error& error) {
    throw ConfigError(file.string() + ": is damaged, edited or no prediction: " + error.what() +
                      "; it is written once, so bring it back from a copy; held-out runs that "
                      "have not begun can be registered under another name in the sweep's file, "
                      "the others no more");
  }
}

std::vector<Prediction> predictions_of_store(const std::filesystem::path& runs,
                                             std::vector<std::string>& faults) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(runs / kPredictionsFolder, error), end;
       !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".json") files.push_back(it->path());
  }
  std::ranges::sort(files);
  std::vector<Prediction> predictions;
  for (const std::filesystem::path& file : files) {
    try {
      std::optional<Prediction> found = find_prediction(runs, file.stem().string());
      if (found) predictions.push_back(std::move(*found));
    } catch (const std::runtime_error& fault) {
      faults.emplace_back(fault.what());
    }
  }
  return predictions;
}

}  // namespace scalelaw
