// Text from outside (names, paths, values of files), made safe to print and to log.
#pragma once

#include <string>
#include <string_view>

namespace scalelaw {

// Control characters (U+0080 to U+009F, which some terminals obey, among them), those that turn the
// direction of writing or end a line, and bytes that are not UTF-8, as \n, \x1b, \u202e; the rest
// as it is. Text that was escaped stays the same.
std::string escaped(std::string_view text);

// escaped() of each line; line ends and tabs stay.
std::string escaped_lines(std::string_view text);

// escaped(), of text so long that nobody would read on its start and "...".
std::string excerpt(std::string_view text);

}  // namespace scalelaw
