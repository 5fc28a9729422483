#include "trainer/config_kinds.h"

#include <algorithm>

namespace scalelaw {

Range at_least(int64_t low) {
  return {">= " + std::to_string(low), [low](double v) { return v >= static_cast<double>(low); }};
}

Range positive() {
  return {"> 0", [](double v) { return v > 0; }};
}

Range share_below_one() {
  return {">= 0 and < 1", [](double v) { return v >= 0 && v < 1; }};
}

Range share_up_to_one() {
  return {">= 0 and <= 1", [](double v) { return v >= 0 && v <= 1; }};
}

Range from_zero_to(int64_t high) {
  return {">= 0 and <= " + std::to_string(high),
          [high](double v) { return v >= 0 && v <= static_cast<double>(high); }};
}

Kind<int64_t> whole(const Range& range) {
  return {kWholeNumber,
          range.text,
          [range](const std::string& text) {
            const auto value = parse_whole(text);
            return value && range.holds(static_cast<double>(*value)) ? value : std::nullopt;
          },
          [](int64_t value) { return std::to_string(value); },
          {},
          whole_limit_exceeded};
}

Kind<int> known_spec() {
  return {"1", "(this program knows spec 1; a newer scalelaw may know more)",
          [](const std::string& text) {
            return parse_whole(text) == 1 ? std::optional(1) : std::nullopt;
          },
          [](int value) { return std::to_string(value); }};
}

Kind<double> number(const Range& range, std::optional<double> (*parse)(std::string_view)) {
  return {parse == parse_duration ? "a duration (90, 90s, 15m, 8h)" : "a number",
          range.text,
          [range, parse](const std::string& text) {
            const auto value = parse(text);
            return value && range.holds(*value) ? value : std::nullopt;
          },
          [](double value) { return canonical(value); },
          {},
          real_limit_exceeded};
}

Kind<std::optional<double>> duration_or_auto() {
  using Value = std::optional<double>;
  const Kind<double> duration = number(at_least(0), parse_duration);
  return {"auto or " + duration.type,
          duration.rule,
          [duration](const std::string& text) {
            if (text == "auto") return std::optional<Value>(std::in_place);
            const Value seconds = duration.read(text);
            return seconds ? std::optional<Value>(seconds) : std::nullopt;
          },
          [duration](const Value& value) { return value ? duration.write(*value) : "auto"; },
          {"auto"},
          real_limit_exceeded};
}

Kind<bool> truth() {
  return {"true or false",
          "",
          [](const std::string& text) {
            const bool known = text == "true" || text == "false";
            return known ? std::optional(text == "true") : std::nullopt;
          },
          [](bool value) { return std::string(value ? "true" : "false"); },
          {"true", "false"}};
}

std::string one_of(const std::vector<std::string>& choices) {
  std::string text = choices.size() == 1 ? "" : "one of ";
  for (const std::string& choice : choices) text += (&choice == &choices[0] ? "" : ", ") + choice;
  return text;
}

Kind<std::string> one_of_names(const std::vector<std::string>& names) {
  return {one_of(names), "",
          [names](const std::string& text) {
            const bool known = std::find(names.begin(), names.end(), text) != names.end();
            return known ? std::optional(text) : std::nullopt;
          },
          [](const std::string& value) { return value; }, names};
}

Kind<std::string> data_set_name() {
  return {"the name of a data set", "",
          [](const std::string& text) {
            return text.empty() || text == "{}" ? std::nullopt : std::optional(text);
          },
          [](const std::string& value) { return value; }};
}

}  // namespace scalelaw
