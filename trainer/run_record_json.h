// The JSON form of the run folder's structs: for trainer/run_record.cpp alone.
#pragma once

#include <nlohmann/json.hpp>

#include "trainer/run_record.h"

namespace scalelaw {

void to_json(nlohmann::ordered_json& json, const MetricsRow& row);
void from_json(const nlohmann::json& json, MetricsRow& row);
void to_json(nlohmann::ordered_json& json, const Attempt& attempt);
void from_json(const nlohmann::json& json, Attempt& attempt);
void to_json(nlohmann::ordered_json& json, const RunRecord& record);
// std::runtime_error for a version this program does not know.
void from_json(const nlohmann::json& json, RunRecord& record);

}  // namespace scalelaw
