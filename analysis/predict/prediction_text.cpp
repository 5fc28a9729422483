#include "analysis/predict/prediction_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const PredictingLaw& law) {
  std::string line = law.formula + " over " + law.over + ":";
  for (const LawConstant& c : law.constants) line += " " + c.symbol + " " + human(c.value);
  return line;
}

std::string units_of(const Prediction& prediction) {
  return "Final loss on " + prediction.test_set + " (" + prediction.metric + "), N counted as " +
         prediction.n_count + ", intervals " + level_text(prediction.level) + " for each run.";
}

// What gave the losses, once for all cells that it is the same for.
std::vector<std::string> sources_of(const Prediction& prediction) {
  std::vector<std::string> lines;
  for (const PredictedCell& cell : prediction.cells) {
    std::string line = cell.arm + ": " + cell.why + ". ";
    for (std::size_t i = 0; i < cell.laws.size(); ++i) {
      line += (i == 0 ? "" : "; ") + line_of(cell.laws[i]);
    }
    line += " (" + std::to_string(cell.runs.size()) + " runs)";
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  }
  return lines;
}

std::string dump(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

}  // namespace

Document document_of(const HeldOutPredictions& found) {
  Document document;
  for (const Prediction& prediction : found.predictions) {
    document.heading("Prediction " + prediction.name);
    document.paragraph(units_of(prediction) + " " +
                       (prediction.registered_at.empty()
                            ? "Not registered."
                            : "Registered at " + prediction.registered_at + "."));
    DocumentTable table{
        "", {{"run", false}, {"arm", false}, {"N"}, {"D"}, {"loss"}, {"interval"}}, {}};
    for (const PredictedCell& cell : prediction.cells) {
      table.rows.push_back({cell.folder, cell.arm, human(cell.n), human(cell.d),
                            fixed(cell.loss, 4), interval_text(cell.low, cell.high, 4)});
    }
    document.add(table);
    document.list(sources_of(prediction));
  }
  return document;
}

Document document_of(const Scores& scores) {
  Document document;
  for (const Score& score : scores.scores) {
    document.heading("Prediction " + score.prediction.name);
    document.lead(score.counted == 0 ? "None of the runs that it predicts is complete."
                                     : std::to_string(score.inside) + " of " +
                                           std::to_string(score.counted) + " losses lie in their " +
                                           level_text(score.prediction.level) + " intervals.");
    document.paragraph(units_of(score.prediction) + " Registered at " +
                       score.prediction.registered_at + ".");
    DocumentTable table{"",
                        {{"run", false},
                         {"predicted"},
                         {"interval"},
                         {"loss"},
                         {"loss - predicted"},
                         {"inside", false},
                         {"remark", false}},
                        {}};
    for (const ScoredCell& cell : score.cells) {
      const PredictedCell& p = cell.predicted;
      table.rows.push_back({p.folder, fixed(p.loss, 4), interval_text(p.low, p.high, 4),
                            cell.loss ? fixed(*cell.loss, 4) : "-",
                            cell.loss ? signed_fixed(*cell.loss - p.loss, 4) : "-",
                            !cell.loss    ? "-"
                            : cell.inside ? "yes"
                                          : "no",
                            cell.why});
    }
    document.add(table);
  }
  return document;
}

std::string to_json(const HeldOutPredictions& found) {
  Json out = {{"predictions", Json::array()}, {"warnings", found.warnings}};
  for (const Prediction& prediction : found.predictions) {
    Json json = Json::parse(to_json(prediction));
    if (prediction.registered_at.empty()) json["registered_at"] = nullptr;
    out["predictions"].push_back(json);
  }
  return dump(out);
}

std::string to_json(const Scores& scores) {
  Json out = {{"predictions", Json::array()}, {"warnings", scores.warnings}};
  for (const Score& score : scores.scores) {
    Json cells = Json::array();
    for (const ScoredCell& cell : score.cells) {
      const PredictedCell& p = cell.predicted;
      cells.push_back({{"content_hash", p.content_hash},
                       {"folder", p.folder},
                       {"arm", p.arm},
                       {"n", p.n},
                       {"d", p.d},
                       {"predicted", p.loss},
                       {"low", p.low},
                       {"high", p.high},
                       {"loss", cell.loss ? Json(*cell.loss) : Json()},
                       {"error", cell.loss ? Json(*cell.loss - p.loss) : Json()},
                       {"inside", cell.loss ? Json(cell.inside) : Json()},
                       {"counts", cell.counts},
                       {"began_at", or_null(cell.began_at)},
                       {"why", cell.why}});
    }
    out["predictions"].push_back({{"name", score.prediction.name},
                                  {"sweep", score.prediction.sweep},
                                  {"registered_at", score.prediction.registered_at},
                                  {"n_count", score.prediction.n_count},
                                  {"test_set", score.prediction.test_set},
                                  {"metric", score.prediction.metric},
                                  {"level", score.prediction.level},
                                  {"counted", score.counted},
                                  {"inside", score.inside},
                                  {"cells", cells}});
  }
  return dump(out);
}

}  // namespace scalelaw
