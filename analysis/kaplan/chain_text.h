// Kaplan's chain as tables and sentences, and as JSON.
#pragma once

#include <string>

#include "analysis/kaplan/chain.h"
#include "analysis/report/document.h"

namespace scalelaw {

Document document_of(const CurveData& data, const Chain& chain, const ChainOptions& options);
std::string to_json(const CurveData& data, const Chain& chain, const ChainOptions& options);

}  // namespace scalelaw
