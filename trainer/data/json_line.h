// One line of a .jsonl file.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace scalelaw {

// What is wrong with a line, without its place.
class JsonLineFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The text under `key` of the line's object. JsonLineFault: no JSON, no object, no such key, twice
// there, no text.
std::string text_of_json_line(std::string_view line, const std::string& key);

}  // namespace scalelaw
