// Lines for people: columns, and numbers in the few digits that are read.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace scalelaw {

// Rows of cells as lines, columns aligned: text left, numbers (as `right` says) right.
std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows,
                                 const std::vector<bool>& right);

// At most `most` lines (>= 1), the last of which says how many are left out where some are.
std::vector<std::string> shortened(std::vector<std::string> lines, std::size_t most);
// Its first `columns` characters.
std::string cut(const std::string& text, int columns);

// "45 s", "12 min", "3.4 h", "2.1 d"
std::string duration_text(double seconds);
// A loss for people: "2.9331"; "-" when there is none.
std::string loss_text(const std::optional<double>& loss_nats);
// human() of trainer/number.h; "-" without a value.
std::string optional_text(const std::optional<double>& value);

}  // namespace scalelaw
