// How every program ends when it cannot go on: one line on stderr, in one form, and the exit code.
#pragma once

#include <exception>
#include <string_view>

namespace scalelaw {

// "scalelaw train: error: MESSAGE"; `command` is what the user typed: "scalelaw train". The
// message's line ends become spaces. Returns kExitBadInput for a ConfigError, else kExitOther.
int end_with_error(std::string_view command, const std::exception& error);

// The same for a command line that is none: what is wrong with it, and where its help is.
int end_with_usage_error(std::string_view command, std::string_view what);

}  // namespace scalelaw
