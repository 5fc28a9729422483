#include "trainer/fit_file.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/json_field.h"
#include "trainer/json_text.h"

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

Json json_of(const FittedLaw& law) {
  Json json = {{"quantity", name(law.quantity)},
               {"variable", name(law.variable)},
               {"coefficient", law.coefficient},
               {"exponent", law.exponent}};
  if (law.n_count) json["n_count"] = name(*law.n_count);
  if (law.c_count) json["c_count"] = name(*law.c_count);
  json["low"] = law.low;
  json["high"] = law.high;
  if (law.exponent_standard_error) json["exponent_standard_error"] = *law.exponent_standard_error;
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

FittedLaw law_from(const JsonField& field) {
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
  law.low = field.positive("low");
  law.high = field.positive("high");
  if (law.low > law.high) field.fail("low", "must not be above high");
  for (const double end : {law.low, law.high}) {
    if (!std::isnormal(law.at(end))) {
      field.fail("exponent", "gives no number within low and high");
    }
  }
  law.exponent_standard_error = field.positive_if("exponent_standard_error");
  const std::optional<JsonField> from = field.object_if("from");
  if (!from) field.fail("from", "is missing");
  law.from = origin_from(*from);
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
