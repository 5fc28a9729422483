#include <algorithm>

#include "analysis/measurements/measurements.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/json_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// As deep as parse_json lets through.
void add_cells(Measurements& table, Measurement& row, const std::string& prefix,
               const nlohmann::json& object) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = prefix + key;
    if (value.is_object()) {
      add_cells(table, row, name + ".", value);
      continue;
    }
    std::string text;
    if (value.is_string()) {
      text = value.get<std::string>();
    } else if (value.is_number()) {
      text = canonical(value.get<double>());
    } else if (value.is_boolean()) {
      text = value.get<bool>() ? "true" : "false";
    }
    if (text.empty()) continue;  // null, lists: nothing to fit
    row.set(table.column(name), std::move(text));
  }
}

}  // namespace

void add_json_lines(Measurements& table, const std::string& source, std::string_view bytes) {
  table.sources.push_back(source);
  const std::size_t before = table.rows.size();
  std::string first_fault;
  for (int64_t line = 1; !bytes.empty(); ++line) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view text = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Measurement row{table.sources.size() - 1, line, "", {}};
    nlohmann::json object;
    try {
      object = parse_json_object(text);
    } catch (const ConfigError&) {
      throw;
    } catch (const std::runtime_error& error) {
      table.excluded.push_back(
          {table.place(row), std::string("is no JSON object: ") + error.what()});
      continue;
    }
    add_cells(table, row, "", object);
    table.rows.push_back(std::move(row));
  }
  if (table.rows.size() == before) {
    throw ConfigError(escaped(source) + ": no line of it is a JSON object");
  }
}

}  // namespace scalelaw
