// How every program ends when it cannot go on: one line on stderr, in one form, and the exit code.
#pragma once

#include <exception>
#include <string_view>

namespace scalelaw {

// "scalelaw train: error: MESSAGE"; `command` is what the user typed: "scalelaw train". The
// message's line ends become spaces. Returns kExitBadInput for a ConfigError, else kExitOther.
int end_with_error(std::string_view command, const std::exception& error);

}  // namespace scalelaw
