// Proposals for people and for scripts.
#pragma once

#include <string>

#include "analysis/propose/proposals.h"
#include "analysis/report/document.h"

namespace scalelaw {

Document document_of(const Proposals& proposals);
std::string to_json(const Proposals& proposals);

}  // namespace scalelaw
