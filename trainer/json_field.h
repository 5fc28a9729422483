// An object of a record that may be damaged or foreign, which says where in the file a fault lies:
// "cells.3.folder must be a text, is 7". All faults are std::runtime_error.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace scalelaw {

class JsonField {
 public:
  // `path`: where `json`, which outlives this, stands in the file; "": it is all of it.
  explicit JsonField(const nlohmann::json& json, std::string path = "");

  std::string text(const char* key) const;
  std::vector<std::string> texts(const char* key) const;     // not empty
  std::vector<std::string> texts_if(const char* key) const;  // empty: no such key
  // Of a file or folder, to be joined to a path: none that leads out of where it is joined to.
  std::string file_name(const char* key) const;
  int64_t whole(const char* key, int64_t least = std::numeric_limits<int64_t>::min()) const;
  double positive(const char* key) const;                    // a finite number above 0
  std::optional<double> positive_if(const char* key) const;  // nullopt: no such key
  double number(const char* key) const;                      // finite
  std::vector<JsonField> objects(const char* key) const;     // not empty
  // Of the key "version": OtherVersion (trainer/run_record_json.h) where it is not `known`;
  // `of_what` is "predictions".
  void require_version(int64_t known, const char* of_what) const;
  bool has(const char* key) const { return json_->contains(key); }
  std::string text_if(const char* key) const;                             // "": no such key
  std::map<std::string, std::string> text_map_if(const char* key) const;  // empty: no such key
  bool truth_if(const char* key) const;                                   // false: no such key
  std::optional<JsonField> object_if(const char* key) const;              // nullopt: no such key
  [[noreturn]] void fail(const std::string& key, const std::string& rule) const;

 private:
  const nlohmann::json& at(const char* key) const;
  const nlohmann::json& list(const char* key) const;
  void require(bool holds, const char* key, const std::string& rule) const;
  std::string join(const std::string& key) const;

  const nlohmann::json* json_;
  std::string path_;
};

}  // namespace scalelaw
