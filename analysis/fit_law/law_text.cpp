#include "analysis/fit_law/law_text.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

std::string digits(double value, int count = 6) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", count, value);
  return text;
}

std::string interval_words(const OpenInterval& interval) {
  if (interval.bounded()) {
    return "[" + digits(interval.low, 4) + ", " + digits(interval.high, 4) + "]";
  }
  if (interval.low_bounded) return "at least " + digits(interval.low, 4);
  if (interval.high_bounded) return "at most " + digits(interval.high, 4);
  return "any";
}

std::string columns_of(const FormulaLaw& law) {
  std::string list;
  for (const std::string& column : law.formula.columns()) {
    list += (list.empty() ? "" : ", ") + column;
  }
  return list;
}

bool any_published(const FormulaLaw& law) {
  for (const FormulaConstant& constant : law.constants) {
    if (constant.published) return true;
  }
  return false;
}

void add_constants(Document& document, const LawReport& report, const LawAnswer& a) {
  const FormulaLaw& law = report.law;
  DocumentTable table{"", {{"constant", false}, {"value"}}, {}};
  const bool of_value = !a.intervals.empty() && !a.of_squares;
  const bool of_squares = !a.intervals.empty() && a.of_squares;
  if (of_value) table.columns.push_back({"interval", false});
  if (a.squares) table.columns.push_back({"least squares"});
  if (of_squares) table.columns.push_back({"interval of least squares", false});
  if (any_published(law)) table.columns.push_back({"published"});
  for (std::size_t k = 0; k < law.constants.size(); ++k) {
    const FormulaConstant& constant = law.constants[k];
    std::vector<std::string> row = {constant.symbol, digits(a.fit.values[k])};
    if (of_value) row.push_back(interval_words(a.intervals[k]));
    if (a.squares) {
      row.push_back(a.squares->values.empty() ? "" : digits(a.squares->values[k]));
    }
    if (of_squares) row.push_back(interval_words(a.intervals[k]));
    if (any_published(law)) {
      row.push_back(constant.published ? digits(*constant.published) : "");
    }
    table.rows.push_back(std::move(row));
  }
  document.add(table);
}

void add_joint(Document& document, const LawReport& report, const LawAnswer& a) {
  if (!a.joint) return;
  const JointContour& joint = *a.joint;
  const std::string& x = report.law.constants[joint.first].symbol;
  const std::string& y = report.law.constants[joint.second].symbol;
  DocumentTable table{x + " and " + y + " together, " + level_text(report.question.level) +
                          " (least squares; correlation " + fixed(joint.correlation, 3) + ")",
                      {{"on the contour", false}, {x}, {y}},
                      {}};
  const auto row = [&](const std::string& where, bool there, const std::vector<double>& values,
                       bool largest) {
    if (!there) {
      table.rows.push_back({where, "no end", "no end"});
      return;
    }
    const auto found =
        largest ? std::ranges::max_element(values) : std::ranges::min_element(values);
    const auto i = static_cast<std::size_t>(found - values.begin());
    table.rows.push_back({where, digits(joint.x[i], 4), digits(joint.y[i], 4)});
  };
  row("least " + x, joint.first_reach.low_bounded, joint.x, false);
  row("largest " + x, joint.first_reach.high_bounded, joint.x, true);
  row("least " + y, joint.second_reach.low_bounded, joint.y, false);
  row("largest " + y, joint.second_reach.high_bounded, joint.y, true);
  document.add(table);
}

void add_values(Document& document, const LawReport& report, const LawAnswer& a) {
  if (a.values.empty()) return;
  DocumentTable table{"", {}, {}};
  for (const std::string& column : report.law.formula.columns()) table.columns.push_back({column});
  table.columns.push_back({report.law.formula.response()});
  const bool of_squares = a.of_squares && !a.value_intervals.empty();
  if (of_squares) table.columns.push_back({"least squares"});
  if (!a.value_intervals.empty()) {
    table.columns.push_back({of_squares ? "of the least-squares curve" : "of the curve", false});
  }
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    std::vector<std::string> row;
    for (const double at : report.question.at[i]) row.push_back(digits(at));
    row.push_back(digits(a.values[i]));
    if (of_squares) row.push_back(digits(a.squares_values[i]));
    if (!a.value_intervals.empty()) row.push_back(interval_words(a.value_intervals[i]));
    table.rows.push_back(std::move(row));
  }
  document.add(table);
}

void add_answer(Document& document, const LawReport& report, const LawAnswer& a) {
  const FormulaLaw& law = report.law;
  const std::string& response = law.formula.response();
  if (!a.group.empty()) document.heading(a.group);
  if (!has_curve(a.fit.status)) {
    document.paragraph("No fit (" + std::string(name(a.fit.status)) + "): " + a.fit.why + ".");
    return;
  }
  add_constants(document, report, a);
  add_joint(document, report, a);
  std::vector<std::string> items = {"fit: " + std::string(name(a.fit.status)) +
                                    (a.fit.why.empty() ? "" : ", " + a.fit.why)};
  if (!a.intervals_by.empty()) items.push_back("intervals: " + a.intervals_by);
  items.insert(items.end(), a.remarks.begin(), a.remarks.end());
  const double scaled = a.fit.found.scaled_gradient;
  items.push_back(in_words(report.question.fit.kind, response, a.fit.delta) + ": F " +
                  digits(a.fit.objective, 10) + ", scaled gradient " + digits(scaled, 2) + ", " +
                  std::to_string(a.fit.starts_at_best) + " of " + std::to_string(a.fit.starts) +
                  " starts at the best");
  std::string rows =
      std::to_string(a.rows) + " rows, " + std::to_string(a.fit.points) + " different points";
  if (report.question.by_cluster) rows += ", " + std::to_string(a.clusters) + " clusters";
  if (a.residual_sd > 0) {
    rows += ", residual standard deviation " + digits(a.residual_sd, 3) +
            (law.in_ln && report.question.fit.kind != ErrorKind::kGaussian ? " in ln " : " in ") +
            response + " (least squares)";
  }
  items.push_back(rows);
  document.list(items);
  add_values(document, report, a);
}

// null for what is not finite, or no end.
Json number(bool there, double value) {
  return there && std::isfinite(value) ? Json(value) : Json();
}
Json to_json(const OpenInterval& interval) {
  return {{"low", number(interval.low_bounded, interval.low)},
          {"high", number(interval.high_bounded, interval.high)}};
}

Json to_json(const LawReport& report, const LawAnswer& a) {
  const FormulaLaw& law = report.law;
  Json constants = Json::array();
  for (std::size_t k = 0; k < a.fit.values.size(); ++k) {
    Json constant = {{"symbol", law.constants[k].symbol}, {"value", number(true, a.fit.values[k])}};
    if (!a.intervals.empty()) {
      constant[a.of_squares ? "least_squares_interval" : "interval"] = to_json(a.intervals[k]);
    }
    if (a.squares && !a.squares->values.empty()) {
      constant["least_squares"] = number(true, a.squares->values[k]);
    }
    constants.push_back(std::move(constant));
  }
  Json values = Json::array();
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    Json at = Json::object();
    for (std::size_t c = 0; c < law.formula.columns().size(); ++c) {
      at[law.formula.columns()[c]] = report.question.at[i][c];
    }
    Json value = {{"at", at}, {"value", number(true, a.values[i])}};
    if (i < a.squares_values.size()) value["least_squares"] = number(true, a.squares_values[i]);
    if (i < a.value_intervals.size()) {
      value[a.of_squares ? "least_squares_interval" : "interval"] = to_json(a.value_intervals[i]);
    }
    values.push_back(std::move(value));
  }
  Json joint;
  if (a.joint) {
    joint = {{"constants",
              {law.constants[a.joint->first].symbol, law.constants[a.joint->second].symbol}},
             {"level", report.question.level},
             {"correlation", number(true, a.joint->correlation)},
             {"reach", {to_json(a.joint->first_reach), to_json(a.joint->second_reach)}},
             {"points", Json::array()}};
    for (std::size_t i = 0; i < a.joint->x.size(); ++i) {
      joint["points"].push_back({number(true, a.joint->x[i]), number(true, a.joint->y[i])});
    }
  }
  return {{"group", a.group},
          {"status", name(a.fit.status)},
          {"why", a.fit.why},
          {"rows", a.rows},
          {"points", a.fit.points},
          {"residual_df", a.fit.residual_df},
          {"objective", number(true, a.fit.objective)},
          {"delta", number(a.fit.delta > 0, a.fit.delta)},
          {"scaled_gradient", number(true, a.fit.found.scaled_gradient)},
          {"starts", a.fit.starts},
          {"starts_at_best", a.fit.starts_at_best},
          {"constants", constants},
          {"intervals_by", a.intervals_by},
          {"joint", joint},
          {"remarks", a.remarks},
          {"values", values}};
}

}  // namespace

std::string in_words(ErrorKind kind, const std::string& response, double delta) {
  switch (kind) {
    case ErrorKind::kHuberLn:
      return "Huber in ln " + response + ", delta " + digits(delta, 3);
    case ErrorKind::kGaussianLn:
      return "least squares in ln " + response;
    case ErrorKind::kGaussian:
      return "least squares in " + response;
    case ErrorKind::kEnvelope:
      break;
  }
  return "lower edge in ln " + response + ", rows above weigh " + digits(kEnvelopeWeight);
}

Document document_of(const LawReport& report) {
  Document document;
  const FormulaLaw& law = report.law;
  document.heading(law.id == "own" ? "Your own law" : law.id + ": " + law.about);
  document.code(law.formula.text());
  if (law.id != "own") document.paragraph(law.source + ".");
  if (!report.table.notes.empty()) document.list(report.table.notes);
  for (const LawAnswer& a : report.answers) add_answer(document, report, a);
  return document;
}

std::string to_json(const LawReport& report) {
  Json answers = Json::array(), excluded = Json::array();
  for (const LawAnswer& a : report.answers) answers.push_back(to_json(report, a));
  for (const LeftOutRow& row : report.table.excluded) {
    excluded.push_back({{"place", row.place}, {"reason", row.reason}});
  }
  const Json json = {{"law", report.law.id},
                     {"formula", report.law.formula.text()},
                     {"source", report.law.source},
                     {"sources", report.table.sources},
                     {"fits", answers},
                     {"excluded", excluded},
                     {"notes", report.table.notes},
                     {"warnings", report.table.warnings}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Document list_of_laws() {
  Document document;
  DocumentTable table{
      "",
      {{"law", false}, {"what", false}, {"formula", false}, {"columns", false}, {"source", false}},
      {}};
  for (const FormulaLaw& law : named_formula_laws()) {
    table.rows.push_back({law.id + (law.other_id.empty() ? "" : ", " + law.other_id), law.about,
                          law.formula.text(), columns_of(law), law.source});
  }
  document.add(table);
  return document;
}

std::string list_of_laws_json() {
  Json laws = Json::array();
  for (const FormulaLaw& law : named_formula_laws()) {
    Json published = Json::object();
    for (const FormulaConstant& constant : law.constants) {
      published[constant.symbol] =
          number(constant.published.has_value(), constant.published.value_or(0));
    }
    laws.push_back({{"law", law.id},
                    {"about", law.about},
                    {"formula", law.formula.text()},
                    {"gives", law.formula.response()},
                    {"columns", law.formula.columns()},
                    {"published", published},
                    {"source", law.source}});
  }
  return laws.dump(1) + "\n";
}

}  // namespace scalelaw
