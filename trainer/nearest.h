#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

// For a message about a typo: the entry of `candidates` nearest to `text` by edit distance, or ""
// when none is near.
std::string nearest(std::string_view text, const std::vector<std::string>& candidates);

}  // namespace scalelaw
