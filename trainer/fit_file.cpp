#include "trainer/fit_file.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/json_field.h"
#include "trainer/json_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

constexpr FittedQuantity kQuantities[] = {FittedQuantity::kNOpt, FittedQuantity::kCriticalBatch};
constexpr FitVariable kVariables[] = {FitVariable::kCompute, FitVariable::kTokens,
                                      FitVariable::kSize, FitVariable::kLoss};

bool counts_n(const FittedLaw& law) {
  return law.quantity == FittedQuantity::kNOpt || law.variable == FitVariable::kSize;
}

bool counts_c(const FittedLaw& law) {
  return law.variable == FitVariable::kCompute;
}

// Wider than anything that is trained, and narrower than a slip of units.
FitRange sane_range(FitVariable variable) {
  switch (variable) {
    case FitVariable::kCompute:
      return {1, 1e40};
    case FitVariable::kTokens:
      return {1, 1e20};
    case FitVariable::kSize:
      return {1, 1e18};
    case FitVariable::kLoss:
      break;
  }
  return {1e-6, 1e3};
}

Json json_of(const FitRange& range) {
  return {{"low", range.low}, {"high", range.high}};
}

Json json_of(const FittedLaw& law) {
  Json json = {{"quantity", name(law.quantity)},
               {"variable", name(law.variable)},
               {"coefficient", law.coefficient},
               {"exponent", law.exponent}};
  if (law.n_count) json["n_count"] = name(*law.n_count);
  if (law.c_count) json["c_count"] = name(*law.c_count);
  json["low"] = law.low;
  json["high"] = law.high;
  if (law.n_range) json["n_range"] = json_of(*law.n_range);
  if (law.d_range) json["d_range"] = json_of(*law.d_range);
  if (law.exponent_standard_error) json["exponent_standard_error"] = *law.exponent_standard_error;
  if (law.interval) {
    json["interval"] = {{"level", law.interval->level},
                        {"centre", law.interval->centre},
                        {"ln_reach", law.interval->ln_reach},
                        {"exponent_reach", law.interval->exponent_reach}};
  }
  Json from = {
      {"source", law.from.source}, {"law", law.from.law}, {"fitted_at", law.from.fitted_at}};
  if (!law.from.runs.empty()) from["runs"] = law.from.runs;
  json["from"] = from;
  return json;
}

template <typename Choices>
auto chosen(const JsonField& field, const char* key, const Choices& choices,
            const std::string& rule) {
  const std::string text = field.text(key);
  for (const auto choice : choices) {
    if (name(choice) == text) return choice;
  }
  field.fail(key, "must be " + rule);
}

FitOrigin origin_from(const JsonField& field) {
  FitOrigin from{field.text("source"), field.text("law"), field.text("fitted_at"), {}};
  if (!is_utc_time(from.fitted_at)) {
    field.fail("fitted_at", "must be a time such as 2026-01-31T12:00:00Z");
  }
  from.runs = field.texts_if("runs");
  return from;
}

void require_keys(const JsonField& field) {
  std::vector<std::string> missing;
  const auto look_for = [&](const JsonField& in, const std::string& path,
                            const std::vector<const char*>& keys) {
    for (const char* key : keys) {
      if (!in.has(key)) missing.push_back(path + key);
    }
  };
  look_for(field, "", {"quantity", "variable", "coefficient", "exponent", "low", "high"});
  static const nlohmann::json kNothing = nlohmann::json::object();
  const std::optional<JsonField> from = field.object_if("from");
  look_for(from.value_or(JsonField(kNothing)), "from.", {"source", "law", "fitted_at"});
  if (field.has("quantity") && field.has("variable")) {
    const bool is_n_opt = field.text("quantity") == name(FittedQuantity::kNOpt);
    if (is_n_opt || field.text("variable") == name(FitVariable::kSize)) {
      look_for(field, "", {"n_count"});
    }
    if (is_n_opt) look_for(field, "", {"c_count"});
  }
  if (missing.empty()) return;
  std::string others;
  for (std::size_t i = 1; i < missing.size(); ++i) {
    others += (i == 1 ? ", and so are " : ", ") + missing[i];
  }
  if (missing.size() == 2) others = ", and so is " + missing[1];
  field.fail(missing[0], "is missing" + others);
}

FitRange range_from(const JsonField& field) {
  const FitRange range = {field.positive("low"), field.positive("high")};
  if (range.low > range.high) field.fail("low", "must not be above high");
  return range;
}

void check_bounds(const JsonField& field, const FittedLaw& law) {
  const FitRange sane = sane_range(law.variable);
  for (const auto& [key, end] : {std::pair{"low", law.low}, std::pair{"high", law.high}}) {
    if (!sane.holds(end)) {
      field.fail(key, "must be from " + canonical(sane.low) + " to " + canonical(sane.high) +
                          ", for a " + std::string(name(law.variable)) + "; is " + canonical(end));
    }
    const double value = law.at(end);
    if (!(value >= 1 && value <= 1e18)) {
      field.fail("exponent", "and coefficient give " + std::string(name(law.quantity)) + " " +
                                 human(value) + " at " + key + ", and it is from 1 to 1e18");
    }
    if (law.quantity == FittedQuantity::kNOpt && end / (6 * value) < 1) {
      field.fail("exponent", "and coefficient leave less than a token at " + std::string(key) +
                                 ": n_opt is " + human(value));
    }
  }
}

FittedLaw law_from(const JsonField& field) {
  require_keys(field);
  FittedLaw law;
  law.quantity = chosen(field, "quantity", kQuantities, "n_opt or critical_batch");
  law.variable = chosen(field, "variable", kVariables, "C, D, N or L");
  if ((law.quantity == FittedQuantity::kNOpt) != (law.variable == FitVariable::kCompute)) {
    field.fail("variable", law.quantity == FittedQuantity::kNOpt
                               ? "must be C: n_opt is of a budget"
                               : "must be D, N or L: critical_batch is of one of them");
  }
  law.coefficient = field.positive("coefficient");
  law.exponent = field.number("exponent");
  if (counts_n(law)) {
    law.n_count = n_count_from(field.text("n_count"));
    if (!law.n_count) field.fail("n_count", "must be a convention of N");
  }
  if (counts_c(law)) {
    law.c_count = c_count_from(field.text("c_count"));
    if (!law.c_count) field.fail("c_count", "must be a convention of C");
  }
  const FitRange range = range_from(field);
  law.low = range.low;
  law.high = range.high;
  check_bounds(field, law);
  if (const auto n = field.object_if("n_range")) law.n_range = range_from(*n);
  if (const auto d = field.object_if("d_range")) law.d_range = range_from(*d);
  if (const auto interval = field.object_if("interval")) {
    law.interval = {interval->positive("level"), interval->positive("centre"),
                    interval->positive("ln_reach"), interval->positive("exponent_reach")};
    if (law.interval->level >= 1) interval->fail("level", "must be below 1");
  }
  law.exponent_standard_error = field.positive_if("exponent_standard_error");
  law.from = origin_from(*field.object_if("from"));
  return law;
}

}  // namespace

std::string_view name(FittedQuantity quantity) {
  return quantity == FittedQuantity::kNOpt ? "n_opt" : "critical_batch";
}

std::string_view name(FitVariable variable) {
  switch (variable) {
    case FitVariable::kCompute:
      return "C";
    case FitVariable::kTokens:
      return "D";
    case FitVariable::kSize:
      return "N";
    case FitVariable::kLoss:
      break;
  }
  return "L";
}

double FittedLaw::at(double variable_value) const {
  return std::exp(std::log(coefficient) + exponent * std::log(variable_value));
}

std::optional<FitRange> FittedLaw::interval_at(double variable_value) const {
  if (!interval) return std::nullopt;
  const double times = std::exp(std::hypot(
      interval->ln_reach, interval->exponent_reach * std::log(variable_value / interval->centre)));
  return FitRange{at(variable_value) / times, at(variable_value) * times};
}

const FittedLaw* FitFile::find(FittedQuantity quantity) const {
  const auto found = std::ranges::find(laws, quantity, &FittedLaw::quantity);
  return found == laws.end() ? nullptr : &*found;
}

std::string to_json(const FitFile& fit) {
  Json laws = Json::array();
  for (const FittedLaw& law : fit.laws) laws.push_back(json_of(law));
  const Json json = {{"version", fit.version}, {"laws", laws}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_fit_file(const std::filesystem::path& file, const FitFile& fit) {
  write_atomically(file, to_json(fit));
}

FitFile fit_file_from_json(std::string_view text) {
  const nlohmann::json json = parse_json(text);
  const JsonField root(json);
  root.require_version(kFitFileVersion, "fits");
  FitFile fit;
  for (const JsonField& field : root.objects("laws")) {
    FittedLaw law = law_from(field);
    if (fit.find(law.quantity) != nullptr) field.fail("quantity", "stands there twice");
    fit.laws.push_back(std::move(law));
  }
  return fit;
}

}  // namespace scalelaw
