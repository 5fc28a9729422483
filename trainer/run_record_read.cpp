// A null where a number is expected is read as NaN.
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "trainer/enum_text.h"
#include "trainer/run_record_fields.h"
#include "trainer/run_record_json.h"

namespace scalelaw {
namespace {

constexpr double kWholeLimit =
    9007199254740992.0;  // 2^53: sums of a record's counts fit in 64 bits

template <typename T>
struct Tag {};

// What is wrong with a value, and where it stands ("test.wiki.tokens").
struct FieldFault {
  std::string path, rule;
};

struct Reader {
  const nlohmann::json& json;

  template <typename T>
  void operator()(const char* key, T& value) {
    const auto found = json.find(key);
    if (found == json.end()) throw FieldFault{key, "is missing"};
    value = decode_below(Tag<T>{}, key, *found);
  }
  template <typename T>
  void operator()(const char* key, std::optional<T>& value) {
    if (json.contains(key)) value = decode_below(Tag<T>{}, key, json[key]);
  }
  void operator()(const char* key, std::map<std::string, double>& value) {
    using Values = std::map<std::string, double>;
    if (json.contains(key)) value = decode_below(Tag<Values>{}, key, json[key]);
  }

  template <typename T>
  static T decode_below(Tag<T> tag, const std::string& key, const nlohmann::json& json) {
    try {
      return decode(tag, json);
    } catch (const FieldFault& fault) {
      throw FieldFault{key + (fault.path.empty() ? "" : ".") + fault.path, fault.rule};
    }
  }
  static void require(bool holds, const char* rule, const nlohmann::json& json) {
    if (!holds) throw FieldFault{"", std::string("must be ") + rule + ", is " + shown(json)};
  }
  template <typename T>
  static T decode(Tag<T>, const nlohmann::json& json) {
    if constexpr (std::is_enum_v<T>) {
      const auto value =
          json.is_string() ? enum_from_text<T>(json.get<std::string>()) : std::nullopt;
      require(value.has_value(), "a word that this program knows", json);
      return *value;
    } else if constexpr (std::is_same_v<T, double>) {
      require(json.is_null() || json.is_number(), "a number or null", json);
      return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
    } else if constexpr (std::is_same_v<T, bool>) {
      require(json.is_boolean(), "true or false", json);
      return json.get<T>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      require(json.is_string(), "text", json);
      return json.get<T>();
    } else if constexpr (std::is_integral_v<T>) {
      require(json.is_number_integer(), "a whole number", json);
      const bool fits = json.is_number_unsigned() ? std::in_range<T>(json.get<uint64_t>())
                                                  : std::in_range<T>(json.get<int64_t>());
      require(fits && std::abs(static_cast<double>(json.get<T>())) <= kWholeLimit,
              "a smaller number", json);
      return json.get<T>();
    } else {
      require(json.is_object(), "an object", json);
      T value;
      Reader reader{json};
      visit(value, reader);
      return value;
    }
  }
  template <typename T>
  static std::vector<T> decode(Tag<std::vector<T>>, const nlohmann::json& json) {
    require(json.is_array(), "a list", json);
    std::vector<T> values;
    for (const auto& element : json) {
      values.push_back(decode_below(Tag<T>{}, std::to_string(values.size()), element));
    }
    return values;
  }
  template <typename T>
  static std::map<std::string, T> decode(Tag<std::map<std::string, T>>,
                                         const nlohmann::json& json) {
    require(json.is_object(), "an object", json);
    std::map<std::string, T> values;
    for (const auto& [name, element] : json.items()) {
      values[name] = decode_below(Tag<T>{}, name, element);
    }
    return values;
  }
};

template <typename T>
T decoded(const nlohmann::json& json) {
  try {
    return Reader::decode(Tag<T>{}, json);
  } catch (const FieldFault& fault) {
    throw std::runtime_error(fault.path + (fault.path.empty() ? "" : " ") + fault.rule);
  }
}

}  // namespace

void from_json(const nlohmann::json& json, MetricsRow& row) {
  row = decoded<MetricsRow>(json);
}
void from_json(const nlohmann::json& json, Attempt& attempt) {
  attempt = decoded<Attempt>(json);
}
void from_json(const nlohmann::json& json, RunRecord& record) {
  if (const auto version = json.find("version"); version != json.end()) {
    if (version->is_number_integer() && *version != kRunFolderVersion) {
      throw OtherVersion("is of version " + shown(*version) +
                         " of the run folder; this program knows version " +
                         std::to_string(kRunFolderVersion));
    }
  }
  record = decoded<RunRecord>(json);
}

}  // namespace scalelaw
