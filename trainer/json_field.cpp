#include "trainer/json_field.h"

#include <cmath>
#include <stdexcept>
#include <utility>

#include "trainer/json_text.h"
#include "trainer/run_record_json.h"

namespace scalelaw {

JsonField::JsonField(const nlohmann::json& json, std::string path)
    : json_(&json), path_(std::move(path)) {
  if (json.is_object()) return;
  throw std::runtime_error(path_ + (path_.empty() ? "" : " ") + "must be an object, is " +
                           shown(json));
}

std::string JsonField::text(const char* key) const {
  require(at(key).is_string(), key, "a text");
  return at(key).get<std::string>();
}

std::vector<std::string> JsonField::texts(const char* key) const {
  std::vector<std::string> all;
  for (const nlohmann::json& element : list(key)) {
    require(element.is_string(), key, "a list of texts");
    all.push_back(element.get<std::string>());
  }
  return all;
}

std::vector<std::string> JsonField::texts_if(const char* key) const {
  return json_->contains(key) ? texts(key) : std::vector<std::string>();
}

std::string JsonField::file_name(const char* key) const {
  std::string name = text(key);
  // A path ends where a NUL stands: "..\0x" would be "..".
  if (name.empty() || name == "." || name == ".." ||
      name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
    fail(key, "must be a name and no path, is " + shown(at(key)));
  }
  return name;
}

int64_t JsonField::whole(const char* key, int64_t least) const {
  require(at(key).is_number_integer(), key, "a whole number");
  try {
    return whole_number(at(key), least);
  } catch (const std::runtime_error& error) {
    fail(key, error.what());
  }
}

double JsonField::number(const char* key) const {
  require(at(key).is_number() && std::isfinite(at(key).get<double>()), key, "a number");
  return at(key).get<double>();
}

double JsonField::positive(const char* key) const {
  const double value = number(key);
  require(value > 0, key, "above 0");
  return value;
}

std::optional<double> JsonField::positive_if(const char* key) const {
  return json_->contains(key) ? std::optional(positive(key)) : std::nullopt;
}

std::vector<JsonField> JsonField::objects(const char* key) const {
  std::vector<JsonField> fields;
  for (const nlohmann::json& element : list(key)) {
    fields.emplace_back(element, join(key) + "." + std::to_string(fields.size()));
  }
  return fields;
}

std::string JsonField::text_if(const char* key) const {
  return json_->contains(key) ? text(key) : "";
}

std::map<std::string, std::string> JsonField::text_map_if(const char* key) const {
  std::map<std::string, std::string> texts;
  if (!json_->contains(key)) return texts;
  require(at(key).is_object(), key, "an object of texts");
  for (const auto& [name, value] : at(key).items()) {
    require(value.is_string(), key, "an object of texts");
    texts.emplace(name, value.get<std::string>());
  }
  return texts;
}

void JsonField::require_version(int64_t known, const char* of_what) const {
  const int64_t version = whole("version");
  if (version == known) return;
  throw OtherVersion("is of version " + std::to_string(version) + " of " + of_what +
                     "; this program knows version " + std::to_string(known));
}

bool JsonField::truth_if(const char* key) const {
  if (!json_->contains(key)) return false;
  require(at(key).is_boolean(), key, "true or false");
  return at(key).get<bool>();
}

std::optional<JsonField> JsonField::object_if(const char* key) const {
  const auto found = json_->find(key);
  if (found == json_->end()) return std::nullopt;
  return JsonField(*found, join(key));
}

void JsonField::fail(const std::string& key, const std::string& rule) const {
  throw std::runtime_error(join(key) + " " + rule);
}

const nlohmann::json& JsonField::at(const char* key) const {
  const auto found = json_->find(key);
  if (found == json_->end()) fail(key, "is missing");
  return *found;
}

const nlohmann::json& JsonField::list(const char* key) const {
  require(at(key).is_array() && !at(key).empty(), key, "a list that is not empty");
  return at(key);
}

void JsonField::require(bool holds, const char* key, const std::string& rule) const {
  if (!holds) fail(key, "must be " + rule + ", is " + shown(at(key)));
}

std::string JsonField::join(const std::string& key) const {
  return path_.empty() ? key : path_ + "." + key;
}

}  // namespace scalelaw
