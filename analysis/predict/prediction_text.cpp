#include "analysis/predict/prediction_text.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/fitting/distributions.h"
#include "analysis/number_text.h"
#include "analysis/predict/other_recipe.h"
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

DocumentTable left_out_table(const Prediction& prediction) {
  DocumentTable table{"left out", {{"run", false}, {"reason", false}}, {}};
  for (const UnusedRun& run : prediction.left_out) {
    table.rows.push_back({run.folder, run.reason});
  }
  return table;
}

// "1 not complete, 2 began before it was predicted"; "": all count.
std::string not_counted(const Score& score) {
  std::string list;
  for (const CellScore each :
       {CellScore::kBegunBefore, CellScore::kBeginUnknown, CellScore::kNoLoss,
        CellScore::kNotComplete, CellScore::kNotStarted}) {
    const int cells = score.count(each);
    if (cells == 0) continue;
    list += (list.empty() ? "" : ", ") + std::to_string(cells) + " " + std::string(in_words(each));
  }
  return list;
}

std::string runs_in_words(int64_t runs) {
  return std::to_string(runs) + (runs == 1 ? " run" : " runs");
}

std::string predictions_in_words(const Score& score) {
  return std::to_string(score.sizes()) + (score.sizes() == 1 ? " prediction" : " predictions");
}

std::string result_of(const Score& score) {
  const int counted = score.counted();
  if (counted == 0) {
    return "None of the " + runs_in_words(std::ssize(score.cells)) +
           " that it predicts counts: " + not_counted(score) + ".";
  }
  const int diverged = score.count(CellScore::kDiverged);
  return std::to_string(score.count(CellScore::kInside)) + " of " + std::to_string(counted) +
         " losses lie in their " + level_text(score.prediction.level) + " intervals" +
         (score.sizes() == counted ? "" : " (" + predictions_in_words(score) + ")") +
         (diverged == 0
              ? "."
              : "; " + std::to_string(diverged) + " diverged, where a loss was predicted.");
}

// What the count does not say; "": nothing.
std::string remarks_of(const Score& score) {
  std::string text;
  if (score.sizes() < score.counted()) {
    text += " The " + runs_in_words(score.counted()) + " share " + predictions_in_words(score) +
            ": runs of one N and D are no independent tests.";
  }
  const auto known = std::ranges::count_if(score.cells, [](const ScoredCell& cell) {
    return counts(cell.score) && cell.predicted.seen > 0;
  });
  if (known > 0) {
    text += " " + runs_in_words(known) +
            " of them extrapolated nothing in N and D: others of the same were used.";
  }
  const auto transferred = std::ranges::count_if(score.cells, [](const ScoredCell& cell) {
    return counts(cell.score) && !cell.predicted.other_recipe.empty();
  });
  if (transferred > 0) {
    text += " " + runs_in_words(transferred) + " of them " + (transferred == 1 ? "has" : "have") +
            " another recipe than the runs that predicted " + (transferred == 1 ? "it" : "them") +
            ": the error is of the law and of that difference.";
  }
  if (const std::string others = not_counted(score); score.counted() > 0 && !others.empty()) {
    text += " Not counted: " + others + ".";
  }
  const auto excluded = std::ranges::count_if(
      score.cells, [](const ScoredCell& cell) { return !cell.excluded.empty(); });
  if (excluded > 0) {
    text += " " + runs_in_words(excluded) + " excluded from the sweep; one that has ended counts.";
  }
  return text;
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
        "",
        {{"run", false}, {"arm", false}, {"N"}, {"D"}, {"loss"}, {"interval"}, {"beyond the runs"}},
        {}};
    for (const PredictedCell& cell : prediction.cells) {
      table.rows.push_back({cell.folder, cell.arm, human(cell.n), human(cell.d),
                            fixed(cell.loss, 4), interval_text(cell.low, cell.high, 4),
                            cell.beyond > 1 ? human(cell.beyond) + " times" : "no"});
    }
    document.add(table);
    std::vector<std::string> lines = sources_of(prediction);
    for (const PredictedCell& cell : prediction.cells) {
      if (cell.seen > 0) {
        lines.push_back(cell.folder + ": no extrapolation, " + std::to_string(cell.seen) +
                        " of the runs used have its N and D");
      }
      if (!cell.other_recipe.empty()) {
        lines.push_back(cell.folder + ": " + transfer_in_words(cell));
      }
    }
    document.list(lines);
    if (!prediction.left_out.empty()) document.add(left_out_table(prediction));
  }
  return document;
}

Document document_of(const Scores& scores) {
  Document document;
  for (const Score& score : scores.scores) {
    document.heading("Prediction " + score.prediction.name);
    document.lead(result_of(score));
    document.paragraph(units_of(score.prediction) + " Registered at " +
                       score.prediction.registered_at + "." + remarks_of(score));
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

Document document_of_store(const Scores& scores) {
  const PredictionCoverage all = coverage_of(scores.scores);
  Document document;
  document.heading("All predictions");
  if (all.predictions == 0) {
    document.lead("No run that was predicted before it began has ended.");
  } else {
    const Interval exact = exact_share_interval(all.inside, all.predictions);
    document.lead(std::to_string(all.inside) + " of " + std::to_string(all.predictions) +
                  " predictions held: a share of " +
                  fixed(static_cast<double>(all.inside) / all.predictions, 2) + " " +
                  interval_text(exact.low, exact.high, 2) + " at 95%, of intervals " +
                  (all.levels_differ ? std::string("of several levels")
                                     : "at " + level_text(scores.scores.front().prediction.level)) +
                  ".");
    document.paragraph(
        "Written down before their runs began; of runs that share one (equal arm, N and D) the "
        "first counts. Of all " +
        runs_in_words(all.runs) + " " + std::to_string(all.runs_inside) + " lie inside; " +
        std::to_string(all.extrapolated) +
        " predictions reach beyond the runs that they are from; the largest error is " +
        percent(std::expm1(all.worst), 1) + " of the loss.");
  }
  DocumentTable table{
      "", {{"prediction", false}, {"registered", false}, {"runs"}, {"count"}, {"inside"}}, {}};
  for (const Score& score : scores.scores) {
    table.rows.push_back({score.prediction.name, score.prediction.registered_at,
                          std::to_string(score.cells.size()), std::to_string(score.counted()),
                          std::to_string(score.count(CellScore::kInside))});
  }
  document.add(table);
  return document;
}

std::string to_json(const HeldOutPredictions& found) {
  Json out = {{"predictions", Json::array()}, {"warnings", found.warnings}};
  for (const Prediction& prediction : found.predictions) {
    Json json = Json::parse(to_json(prediction));
    if (prediction.registered_at.empty()) {
      json["registered_at"] = nullptr;
      json.erase("record_hash");
    }
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
                       {"score", in_words(cell.score)},
                       {"counts", counts(cell.score)},
                       {"began_at", or_null(cell.began_at)},
                       {"excluded", or_null(cell.excluded)},
                       {"beyond", p.beyond},
                       {"seen", p.seen},
                       {"other_recipe", or_null(p.other_recipe)},
                       {"why", cell.why}});
    }
    out["predictions"].push_back({{"name", score.prediction.name},
                                  {"sweep", score.prediction.sweep},
                                  {"registered_at", score.prediction.registered_at},
                                  {"n_count", score.prediction.n_count},
                                  {"test_set", score.prediction.test_set},
                                  {"metric", score.prediction.metric},
                                  {"level", score.prediction.level},
                                  {"counted", score.counted()},
                                  {"inside", score.count(CellScore::kInside)},
                                  {"diverged", score.count(CellScore::kDiverged)},
                                  {"sizes", score.sizes()},
                                  {"cells", cells}});
  }
  const PredictionCoverage all = coverage_of(scores.scores);
  const Interval share = exact_share_interval(all.inside, std::max(all.predictions, 1));
  out["coverage"] = {
      {"predictions", all.predictions},
      {"inside", all.inside},
      {"share_interval", all.predictions > 0 ? Json({share.low, share.high}) : Json()},
      {"runs", all.runs},
      {"runs_inside", all.runs_inside},
      {"extrapolated", all.extrapolated}};
  return dump(out);
}

}  // namespace scalelaw
