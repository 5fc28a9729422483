// What a key's value may be, as JSON Schema (draft 7): for schema.cpp.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/config_yaml.h"
#include "trainer/sweep_keys.h"

namespace scalelaw {

using SchemaJson = nlohmann::ordered_json;

// Of the tables that the reader has: choices, whole numbers, and the bounds of ConfigKey::rule.
SchemaJson schema_value(const ConfigKey& key);
SchemaJson schema_value(const SweepKey& key);

SchemaJson schema_reference(const std::string& definition);
SchemaJson schema_either(std::vector<SchemaJson> forms);
SchemaJson schema_list(const SchemaJson& items, int least = 1);
SchemaJson schema_name();  // of a sweep, a block, an arm, a prediction
// "numbers" is of these, one, several or a range.
SchemaJson schema_definitions();

}  // namespace scalelaw
