// What `scalelaw frontier` found, for people and for scripts.
#pragma once

#include <string>

#include "analysis/frontier/frontier.h"
#include "analysis/report/document.h"

namespace scalelaw {

Document document_of(const Frontier& frontier);
std::string to_json(const Frontier& frontier);

}  // namespace scalelaw
