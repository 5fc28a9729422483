#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

// For a message about a typo: the entry of `candidates` nearest to `text` by edit distance, or ""
// when none is near. `most_wrong`: letters, at most.
std::string nearest(std::string_view text, const std::vector<std::string>& candidates,
                    std::size_t most_wrong = 200);

// "; did you mean NEAREST?", else "; there are A, B, C", all escaped.
std::string nearest_or_all(std::string_view text, const std::vector<std::string>& candidates);

}  // namespace scalelaw
