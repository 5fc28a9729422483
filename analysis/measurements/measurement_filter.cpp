#include "analysis/measurements/measurement_filter.h"

#include <cmath>

#include "trainer/number.h"

namespace scalelaw {
namespace {

struct ReadAs {
  bool number = false, text = false;
  void add(const std::string& cell) {
    const bool reads = parse_real(cell).has_value();
    number = number || reads;
    text = text || (!reads && cell != "-" && cell != "nan" && cell != "NaN" && cell != "NA");
  }
};

}  // namespace

MeasurementFilter::MeasurementFilter(const Measurements& table, const std::vector<ColumnMap>& maps,
                                     const std::string& text)
    : table_(table) {
  std::vector<ReadAs> read_as(table.columns.size());
  for (const Measurement& row : table.rows) {
    for (const Cell& cell : row.cells) read_as[cell.column].add(cell.text);
  }
  for (std::size_t at = 0; at < table.columns.size(); ++at) {
    const std::string& name = table.columns[at];
    const bool is_word = name.find_first_of("()<>=!~\"'* \t") == std::string::npos;
    for (std::size_t of = 0; of < maps.size(); ++of) {
      if (table.has(of, at)) add(is_word ? name : plain_name(name), of, {.column = at});
    }
  }
  for (std::size_t of = 0; of < maps.size(); ++of) {
    for (const auto& [name, source] : maps[of]) add(name, of, source);
    if (maps[of].contains("L")) add("loss", of, maps[of].at("L"));
  }
  for (const auto& [name, by_source] : sources_) {
    ReadAs as;
    for (const auto& [of, source] : by_source) {
      as.number = as.number || read_as[source.column].number;
      as.text = as.text || read_as[source.column].text;
    }
    keys_.push_back({name, as.number && !as.text ? FactKind::kNumber : FactKind::kText});
  }
  if (!text.empty()) filter_ = RunFilter(text, keys_);
}

bool MeasurementFilter::passes(const Measurement& row) const {
  Fact fact;
  return filter_.matches([&](const std::string& key) -> const Fact* {
    const auto of_key = sources_.find(key);
    if (of_key == sources_.end()) return nullptr;
    const auto found = of_key->second.find(row.source);
    if (found == of_key->second.end()) return nullptr;
    const std::string text(table_.cell(row, found->second.column));
    if (text.empty()) return nullptr;
    if (find_key(keys_, key)->kind == FactKind::kText) {
      fact = text;
    } else {
      fact = parse_real(text).value_or(std::nan("")) * found->second.times;
    }
    return &fact;
  });
}

void MeasurementFilter::add(const std::string& name, std::size_t of, const ColumnSource& source) {
  if (!name.empty()) sources_[name].emplace(of, source);
}

}  // namespace scalelaw
