#include "trainer/json_text.h"

#include <stdexcept>
#include <utility>

namespace scalelaw {
namespace {

// Of brackets outside of strings, before the text is parsed: a callback of the parser could count
// them too, but with one its time is quadratic in the elements of a list (nlohmann 3.11).
void check_depth(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\') ++i;
    if (in_string) continue;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kMaxJsonDepth) {
      throw std::runtime_error("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    }
  }
}

}  // namespace

nlohmann::json parse_json(std::string_view text) {
  check_depth(text);
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) throw std::runtime_error("empty");
    if (error.byte > text.size()) {
      throw std::runtime_error("cut short after " + std::to_string(text.size()) + " bytes");
    }
    throw std::runtime_error("no JSON from byte " + std::to_string(error.byte) + " on");
  } catch (const nlohmann::json::out_of_range&) {
    throw std::runtime_error("a number is too large");
  }
}

nlohmann::json parse_json_object(std::string_view text) {
  nlohmann::json json = parse_json(text);
  if (!json.is_object()) throw std::runtime_error("not a JSON object");
  return json;
}

std::string shown(const nlohmann::json& json) {
  const std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text.size() <= 40 ? text : text.substr(0, 37) + "...";
}

int64_t whole_number(const nlohmann::json& json, int64_t least, int64_t most) {
  const bool fits = json.is_number_integer() &&
                    (!json.is_number_unsigned() || std::in_range<int64_t>(json.get<uint64_t>())) &&
                    json.get<int64_t>() >= least && json.get<int64_t>() <= most;
  if (!fits) throw std::runtime_error("is no whole number in its range: " + shown(json));
  return json.get<int64_t>();
}

}  // namespace scalelaw
