// The JSON form of the run folder's structs, for trainer/run_record.cpp alone; OtherVersion for
// sweeps' records and predictions too.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "trainer/json_text.h"
#include "trainer/run_record.h"

namespace scalelaw {

// A record that is whole and of another version.
class OtherVersion : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Readers throw std::runtime_error with what is wrong ("steps must be a whole number, is true"),
// from_json of a RunRecord OtherVersion.
void to_json(nlohmann::ordered_json& json, const MetricsRow& row);
void from_json(const nlohmann::json& json, MetricsRow& row);
void to_json(nlohmann::ordered_json& json, const Attempt& attempt);
void from_json(const nlohmann::json& json, Attempt& attempt);
void to_json(nlohmann::ordered_json& json, const RunRecord& record);
void from_json(const nlohmann::json& json, RunRecord& record);

}  // namespace scalelaw
