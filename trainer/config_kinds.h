// What the text of a configuration key may be: a kind a C++ type, with its range. For
// config_keys.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/enum_text.h"
#include "trainer/number.h"

namespace scalelaw {

struct Range {
  std::string text;  // as messages give the rule
  std::function<bool(double)> holds;
};
Range at_least(int64_t low);
Range positive();
Range share_below_one();  // from 0
Range share_up_to_one();  // from 0
Range from_zero_to(int64_t high);

// What a key's text may be, and how it becomes a T.
template <typename T>
struct Kind {
  std::string type, rule;
  std::function<std::optional<T>(const std::string&)> read;  // nullopt: breaks type or rule
  std::function<std::string(const T&)> write;                // canonical
  std::vector<std::string> choices = {};
  std::string (*limit_exceeded)(std::string_view) = [](std::string_view) { return std::string(); };
};

Kind<int> known_spec();
Kind<int64_t> whole(const Range& range);
Kind<double> number(const Range& range,
                    std::optional<double> (*parse)(std::string_view) = parse_real);
Kind<std::optional<double>> duration_or_auto();  // nullopt: auto
Kind<bool> truth();
Kind<std::string> data_set_name();
Kind<std::string> one_of_names(const std::vector<std::string>& names);

std::string one_of(const std::vector<std::string>& choices);  // "one of adam, adamw"

template <typename Enum>
Kind<Enum> one_of_enum() {
  const auto& all = EnumTexts<Enum>::kAll;
  const std::vector<std::string> texts(all.begin(), all.end());
  return {one_of(texts), "", [](const std::string& text) { return enum_from_text<Enum>(text); },
          [](Enum value) { return std::string(enum_text(value)); }, texts};
}

}  // namespace scalelaw
