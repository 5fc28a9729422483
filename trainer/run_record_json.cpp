// A number that is not finite is null in JSON.
#include "trainer/run_record_json.h"

#include "trainer/enum_text.h"
#include "trainer/run_record_fields.h"

namespace scalelaw {
namespace {

struct Writer {
  nlohmann::ordered_json& json;

  template <typename T>
  void operator()(const char* key, const T& value) {
    json[key] = encode(value);
  }
  // Nothing to tell: no key.
  template <typename T>
  void operator()(const char* key, const std::optional<T>& value) {
    if (value) json[key] = encode(*value);
  }
  void operator()(const char* key, const std::map<std::string, double>& value) {
    if (!value.empty()) json[key] = value;
  }

  template <typename T>
  static nlohmann::ordered_json encode(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      return enum_text(value);
    } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
      return value;
    } else {
      auto out = nlohmann::ordered_json::object();
      Writer writer{out};
      visit(value, writer);
      return out;
    }
  }
  template <typename T>
  static nlohmann::ordered_json encode(const std::vector<T>& values) {
    auto out = nlohmann::ordered_json::array();
    for (const T& value : values) out.push_back(encode(value));
    return out;
  }
  template <typename T>
  static nlohmann::ordered_json encode(const std::map<std::string, T>& values) {
    auto out = nlohmann::ordered_json::object();
    for (const auto& [name, value] : values) out[name] = encode(value);
    return out;
  }
};

}  // namespace

void to_json(nlohmann::ordered_json& json, const MetricsRow& row) {
  json = Writer::encode(row);
}
void to_json(nlohmann::ordered_json& json, const Attempt& attempt) {
  json = Writer::encode(attempt);
}
void to_json(nlohmann::ordered_json& json, const RunRecord& record) {
  json = Writer::encode(record);
}

}  // namespace scalelaw
