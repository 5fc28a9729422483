#include "analysis/measurements/measured_column.h"

#include <algorithm>
#include <cmath>

#include "analysis/laws/formula_law.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

bool is_law_column(const std::string& name) {
  const auto all = law_columns();
  return std::find(all.begin(), all.end(), name) != all.end();
}

// Why a number cannot be under a column; "" where it can.
std::string broken_rule(const std::string& name, double value, bool must_be_positive) {
  if (name == "accuracy" && !(value >= 0 && value <= 1)) return "an accuracy is from 0 to 1";
  if (must_be_positive && value <= 0) return "must be above 0";
  if (!is_law_column(name)) return "";
  const bool counts = name == "N" || name == "D" || name == "U" || name == "S" || name == "batch";
  if (counts && value < 1) return "is a count and at least 1 (in what unit is the column?)";
  if (value <= 0 && name != "accuracy" && name != "neg_ln_pass") return "must be above 0";
  return "";
}

MeasuredValue cell_of(const Measurements& table, const Measurement& row,
                      const ColumnSource& source) {
  const std::string text(table.cell(row, source.column));
  const std::string where = "column " + escaped(table.columns[source.column]);
  if (text.empty()) return {0, where + ": is missing"};
  const std::optional<double> number = parse_real(text);
  if (!number) return {0, where + " = " + excerpt(text) + ": is no finite number"};
  return {*number * source.times, ""};
}

}  // namespace

MeasuredColumn::MeasuredColumn(Measurements& table, const ColumnMap& map, std::string name)
    : name_(std::move(name)) {
  const auto has = [&](const char* column) { return map.contains(column); };
  const auto written = [&](const std::string& column) {
    return escaped(table.columns[map.at(column).column]);
  };
  if (const auto found = map.find(name_); found != map.end()) {
    source_ = found->second;
    if (written(name_) == name_) return;
    table.notes.push_back(name_ + " is the column " + written(name_) +
                          (source_.times == 1 ? "" : " times " + canonical(source_.times)));
  } else if (name_ == "D" && has("N") && has("C")) {
    from_ = From::kComputeOverSixN;
    source_ = map.at("C");
    other_ = map.at("N");
    table.notes.push_back("D = C / 6N of the columns " + written("C") + " and " + written("N"));
  } else if (name_ == "C" && has("N") && has("D")) {
    from_ = From::kSixND;
    source_ = map.at("N");
    other_ = map.at("D");
    table.notes.push_back("C = 6 N D of the columns " + written("N") + " and " + written("D"));
  } else if (const auto own = is_law_column(name_) ? std::nullopt : find_column(table, name_)) {
    source_.column = *own;
  } else {
    throw ConfigError("a column " + name_ +
                      " is needed, and none is known for it: say which with " + "--map " + name_ +
                      "=COLUMN; there are " + escaped_list(table.columns));
  }
}

MeasuredValue MeasuredColumn::of(const Measurements& table, const Measurement& row,
                                 bool must_be_positive) const {
  MeasuredValue found = cell_of(table, row, source_);
  if (!found.fault.empty()) return found;
  if (from_ != From::kTable) {
    MeasuredValue other = cell_of(table, row, other_);
    if (!other.fault.empty()) return other;
    found.value =
        from_ == From::kSixND ? 6 * found.value * other.value : found.value / (6 * other.value);
    if (!std::isfinite(found.value)) return {0, name_ + " cannot be made of its columns"};
  }
  const std::string rule = broken_rule(name_, found.value, must_be_positive);
  if (rule.empty()) return found;
  const std::string& written = table.columns[source_.column];
  const std::string as =
      written == name_ || from_ != From::kTable ? name_ : escaped(written) + " (" + name_ + ")";
  return {0, "column " + as + " = " + canonical(found.value) + ": " + rule};
}

std::string MeasuredColumn::words(const Measurements& table) const {
  switch (from_) {
    case From::kTable:
      break;
    case From::kComputeOverSixN:
      return "C / (6 N)";
    case From::kSixND:
      return "6 N D";
  }
  return "column " + table.columns[source_.column] +
         (source_.times == 1 ? "" : " times " + canonical(source_.times));
}

}  // namespace scalelaw
