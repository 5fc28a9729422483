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

inline constexpr int kAllColumns = 1 << 20;  // where no terminal is
// The same in lines of no more than `columns` characters as far as that goes: of the columns in
// `dropped`, which may be left out, one after another is until they fit.
std::vector<std::string> aligned_within(int columns, std::vector<std::vector<std::string>> rows,
                                        std::vector<bool> right, std::vector<std::size_t> dropped);

bool fit_within(int columns, const std::vector<std::string>& lines);

// At most `most` lines (>= 1), the last of which says how many are left out where some are:
// "and 3 more arms", as `things` says.
std::vector<std::string> shortened(std::vector<std::string> lines, std::size_t most,
                                   const std::string& things);
// Its first `columns` characters.
std::string cut(const std::string& text, int columns);
// Characters on a terminal.
int width(const std::string& text);
// `text` in lines of no more than `columns` characters, from the second on indented two further
// than the first; nothing but blanks is lost. They are broken behind "; ", ", " or ": ",
// else between words, else behind '-', '_' or '/' of a word, where that fills some of the line,
// else within it.
std::vector<std::string> wrapped(const std::string& text, int columns);

// "45 s", "12 min", "3.4 h", "2.1 d"
std::string duration_text(double seconds);
// A loss for people: "2.9331"; "-" when there is none.
std::string loss_text(const std::optional<double>& loss_nats);
// human() of trainer/number.h; "-" without a value.
std::string optional_text(const std::optional<double>& value);

}  // namespace scalelaw
