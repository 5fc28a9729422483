#include "trainer/data/json_line.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "trainer/escaped.h"

namespace scalelaw {
namespace {

// The parser's reason without its own beginning and without the text, which may be long.
std::string json_fault(std::string_view content) {
  std::string reason;
  try {
    reason = nlohmann::json::parse(content).type_name();
  } catch (const nlohmann::json::exception& error) {
    reason = error.what();
    const std::size_t said = reason.find(" - ");
    reason.erase(0, said == std::string::npos ? reason.find(' ') + 1 : said + 3);
    reason.resize(std::min(reason.find("; last read"), reason.size()));
  }
  return reason;
}

// The text under one key of a line's object, without a tree of the rest: a tree keeps the last of
// two equal keys without a word, and one with a callback takes quadratic time (nlohmann 3.11).
class TextOfKey : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit TextOfKey(const std::string& key) : key_(key) {}
  int times() const { return times_; }
  std::optional<std::string>& text() { return text_; }

  bool key(std::string& key) override {
    is_next_ = depth_ == 1 && key == key_;
    if (is_next_) ++times_;
    return true;
  }
  bool string(std::string& value) override {
    if (is_next_) text_ = std::move(value);
    return other();
  }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool null() override { return other(); }
  bool boolean(bool) override { return other(); }
  bool number_integer(int64_t) override { return other(); }
  bool number_unsigned(uint64_t) override { return other(); }
  bool number_float(double, const std::string&) override { return other(); }
  bool binary(nlohmann::json::binary_t&) override { return other(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  bool other() {
    is_next_ = false;
    return true;
  }
  bool open() {
    ++depth_;
    return other();
  }
  bool close() {
    --depth_;
    return true;
  }

  const std::string& key_;
  int64_t depth_ = 0;
  bool is_next_ = false;
  int times_ = 0;
  std::optional<std::string> text_;
};

[[noreturn]] void explain(std::string_view line, const std::string& key) {
  const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
  if (json.is_discarded()) throw JsonLineFault("not JSON: " + json_fault(line));
  if (!json.is_object()) {
    throw JsonLineFault("not a JSON object but " + std::string(json.type_name()));
  }
  const auto it = json.find(key);
  if (it == json.end()) {
    std::string keys;
    for (const auto& [name, value] : json.items()) {
      if (value.is_string()) keys += (keys.empty() ? "" : ", ") + name;
    }
    throw JsonLineFault("no key \"" + key + "\"; --jsonl-key names another" +
                        (keys.empty() ? "" : " (keys with text: " + excerpt(keys) + ")"));
  }
  throw JsonLineFault("\"" + key + "\" is not a string");
}

}  // namespace

std::string text_of_json_line(std::string_view line, const std::string& key) {
  TextOfKey found(key);
  const bool is_json = nlohmann::json::sax_parse(line, &found);
  if (found.times() > 1) throw JsonLineFault("\"" + key + "\" is there twice");
  if (!is_json || !found.text()) explain(line, key);
  return std::move(*found.text());
}

}  // namespace scalelaw
