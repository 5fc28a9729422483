#include "sweeps/tuning/tune_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "sweeps/plan/optional_json.h"
#include "sweeps/plan/reports.h"
#include "sweeps/status/text_table.h"
#include "sweeps/tuning/what_is_known.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

std::string_view name(BestRate kind) {
  switch (kind) {
    case BestRate::kInterior:
      return "interior";
    case BestRate::kBelowDivergence:
      return "below_divergence";
    case BestRate::kLowestEdge:
      return "lowest_edge";
    case BestRate::kHighestEdge:
      return "highest_edge";
    case BestRate::kNone:
      return "none";
  }
  return "";
}

std::string taken_text(const TunedRecipe& scan) {
  if (!scan.choice) return "-";
  switch (scan.choice->kind) {
    case BestRate::kInterior:
      return human(scan.choice->rate);
    case BestRate::kBelowDivergence:
      return human(scan.choice->rate) + ", higher ones diverge";
    case BestRate::kLowestEdge:
    case BestRate::kHighestEdge:
      return human(scan.choice->rate) + ", an edge";
    case BestRate::kNone:
      break;
  }
  return scan.lacks_rates ? "none: fewer than three are left" : "none: all diverged";
}

std::string tried_text(const TunedRecipe& scan) {
  std::string text;
  for (const TriedRate& tried : scan.tried) {
    text += (text.empty() ? "" : "  ") + human(tried.rate) + ": " +
            (tried.diverged ? "diverged" : loss_text(tried.loss_nats));
  }
  if (scan.ended < scan.trials) {
    text += (text.empty() ? "" : "  ") + counted(scan.trials - scan.ended, "trial") + " to come";
  }
  return text;
}

std::string arms_text(const std::vector<std::string>& arms) {
  std::string text;
  for (const std::string& arm : arms) text += (text.empty() ? "" : "+") + arm;
  return text.empty() ? "-" : text;
}

std::string range_text(double low, double high) {
  return human(low) == human(high) ? human(low) : human(low) + " to " + human(high);
}

Json law_json(const RateLaw& law) {
  return {{"factor", law.factor},
          {"n", law.n},
          {"d", law.d},
          {"exponent_n", optional_json(law.exponent_n)},
          {"standard_error_n", optional_json(law.standard_error_n)},
          {"exponent_d", optional_json(law.exponent_d)},
          {"standard_error_d", optional_json(law.standard_error_d)},
          {"points", law.points},
          {"n_range", {law.lowest_n, law.highest_n}},
          {"d_range", {law.lowest_d, law.highest_d}}};
}

}  // namespace

std::string stages_text(const Plan& plan) {
  int64_t trials = 0, held_out = 0, open = 0, predicted = 0, others = 0;
  std::string prediction;
  bool needs_name = false;
  for (const PlannedCell& cell : plan.cells) {
    const bool is_of_held_out = !cell.prediction.empty();
    const bool is_registered = is_of_held_out && cell.is_provisional() && plan.has_prediction;
    const bool is_refused = is_registered && !plan.held_out_fault.empty();
    const bool is_open = is_registered && !is_refused;
    const bool waits = is_of_held_out && (cell.is_held_back() || cell.is_provisional());
    ++(cell.is_trial       ? trials
       : is_open           ? open
       : waits             ? held_out
       : cell.is_predicted ? predicted
                           : others);
    if (is_of_held_out) prediction = cell.prediction;
    needs_name = needs_name || is_refused || cell.waits == WaitsFor::kAnotherName;
  }
  if (trials == 0 && held_out == 0 && open == 0 && predicted == 0) return "";
  std::string text = "stages:  ";
  if (trials > 0) text += counted(trials, "trial");
  if (const int64_t more = may_follow(plan.tuned); more > 0) {
    text += " (up to " + std::to_string(more) + " more beyond edges, not in the totals)";
  }
  if (trials > 0) text += ", then ";
  text += counted(others, "cell");
  if (provisional_cells(plan) > 0) text += " (those that wait take what the trials tell)";
  if (predicted > 0) {
    text += ", then " + std::to_string(predicted) + " held out, predicted as " + prediction +
            " (registered)";
  }
  if (open > 0) {
    text += ", then " + std::to_string(open) + " held out that " + (open == 1 ? "waits" : "wait") +
            " for trials; " + prediction + " is registered";
  }
  if (held_out > 0) {
    text += ", then " + std::to_string(held_out) + " held out until predicted " +
            (needs_name ? "under another name than " : "as ") + prediction;
  }
  return text + "\n";
}

std::string tuned_text(const Plan& plan) {
  const TunedRates& tuned = plan.tuned;
  if (tuned.scans.empty()) return "";
  int64_t trials = 0, ended = 0;
  std::vector<std::vector<std::string>> rows = {
      {"  arm", "model", "N", "D", "file's", "taken", "tried: loss on the val split"}};
  for (const TunedRecipe& scan : tuned.scans) {
    trials += scan.trials;
    ended += scan.ended;
    rows.push_back({"  " + arms_text(scan.arms), scan.model, optional_text(scan.n_params),
                    human(scan.train_tokens), human(scan.file_rate), taken_text(scan),
                    tried_text(scan)});
  }
  std::string text = "tuned:   train.learning_rate: " + std::to_string(ended) + " of " +
                     counted(trials, "trial") + " have ended, of " +
                     counted(static_cast<int64_t>(tuned.scans.size()), "recipe");
  if (const int64_t waiting = provisional_cells(plan); waiting > 0) {
    text += "; " + counted(waiting, "cell") + (waiting == 1 ? " waits" : " wait") + " and may be " +
            (waiting == 1 ? "another" : "others") + " than shown";
  }
  text += "\n";
  for (const std::string& line : aligned(rows, {false, false, true, true, true, false, false})) {
    text += line + "\n";
  }
  for (const ArmRateLaw& each : tuned.laws) {
    text += "  law" + (each.arm.empty() ? "" : " of " + each.arm) + ": ";
    if (!each.law) {
      text += "none, for want of an optimum inside a scan\n";
      continue;
    }
    text += formula(*each.law) + ", by " + counted(each.law->points, "recipe") + " of N " +
            range_text(each.law->lowest_n, each.law->highest_n) + ", D " +
            range_text(each.law->lowest_d, each.law->highest_d) + "\n";
  }
  return text;
}

Json tuned_json(const TunedRates& tuned) {
  Json scans = Json::array(), laws = Json::array();
  for (const TunedRecipe& scan : tuned.scans) {
    Json tried = Json::array();
    for (const TriedRate& rate : scan.tried) {
      tried.push_back({{"rate", rate.rate},
                       {"loss_nats", rate.diverged ? Json() : Json(rate.loss_nats)},
                       {"diverged", rate.diverged}});
    }
    Json json = {{"arms", scan.arms},
                 {"model", scan.model},
                 {"n_params", optional_json(scan.n_params)},
                 {"train_tokens", scan.train_tokens},
                 {"file_rate", scan.file_rate},
                 {"trials", scan.trials},
                 {"ended", scan.ended},
                 {"tried", tried},
                 {"taken", Json()}};
    if (scan.choice) {
      json["taken"] = {{"kind", name(scan.choice->kind)}, {"rate", scan.choice->rate}};
    }
    scans.push_back(std::move(json));
  }
  for (const ArmRateLaw& each : tuned.laws) {
    laws.push_back({{"arm", each.arm}, {"law", each.law ? law_json(*each.law) : Json()}});
  }
  return {{"learning_rate", {{"scans", scans}, {"laws", laws}}}};
}

std::vector<std::string> tuning_warnings(const TunedRates& tuned) {
  std::vector<std::string> texts;
  for (const ThinRateLaw& each : tuned.thin_laws) {
    if (std::ranges::find(tuned.laws, each.arm, &ArmRateLaw::arm) != tuned.laws.end()) continue;
    texts.push_back(counted(each.sizes, "size") + (each.arm.empty() ? "" : " of " + each.arm) +
                    (each.sizes == 1 ? " is" : " are") +
                    " scanned, and a law of learning rates has an exponent of N from " +
                    std::to_string(kSizesForExponent) + " on: cells up to " + human(each.beyond) +
                    " times as large take the file's rate times one factor; let "
                    "tune.learning_rate.where hold of more sizes");
  }
  int64_t at_edge = 0;
  std::string first;
  for (const TunedRecipe& scan : tuned.scans) {
    if (!scan.choice || scan.choice->is_optimum() || scan.choice->kind == BestRate::kNone) continue;
    if (++at_edge == 1) {
      first = scan.model + ": " + human(scan.choice->rate) + ", the " +
              (scan.choice->kind == BestRate::kLowestEdge ? "lowest" : "highest") + " of " +
              std::to_string(scan.tried.size());
    }
  }
  if (at_edge > 0) {
    texts.push_back(std::to_string(at_edge) + " of " + std::to_string(tuned.scans.size()) +
                    " scans of the learning rate have their best at an edge (" + first +
                    "), a bound and no optimum: their runs take it, no law does; widen "
                    "tune.learning_rate.factors or raise extend_at_edge");
  }
  const auto [least, most] = std::ranges::minmax_element(
      tuned.trials_of_arm, {}, [](const auto& of_arm) { return of_arm.second; });
  if (least != tuned.trials_of_arm.end() && least->second < most->second) {
    texts.push_back("arms are tuned unequally: " + counted(least->second, "trial") + " of " +
                    least->first + ", " + std::to_string(most->second) + " of " + most->first +
                    "; what is tuned more looks better");
  }
  for (const ArmRateLaw& each : tuned.laws) {
    if (!each.law || each.beyond == 0) continue;
    texts.push_back(counted(each.beyond, "cell") + (each.beyond == 1 ? " takes" : " take") +
                    " the law of learning rates" + (each.arm.empty() ? "" : " of " + each.arm) +
                    " outside of its scans, up to " + human(each.furthest) +
                    " times beyond their N or D" +
                    (each.law->exponent_n ? "" : ", and it has no exponent of N") +
                    "; scan a larger size to check it");
  }
  if (tuned.reads_test_text) {
    texts.push_back(
        "the train set has no val split that is long enough: rates are chosen on the test text "
        "that results are reported on; `scalelaw data build` makes one");
  }
  return texts;
}

}  // namespace scalelaw
