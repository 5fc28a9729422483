// `scalelaw explain --schema`: the tables of keys as a JSON Schema, with which an editor completes
// and checks sweep files.
#pragma once

#include <string>

namespace scalelaw {

// Draft 7, of a sweep file, made of config_keys() and sweep_keys(): every key nested or dotted, and
// nothing else; numbers in every way in which trainer/number.h reads them, and expressions. Rules
// between keys, bounds of what is text to YAML, and .nan, which no bound refuses, are the reader's
// alone.
std::string sweep_file_schema();

}  // namespace scalelaw
