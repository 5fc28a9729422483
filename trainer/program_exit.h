// How every program ends: the exit code, and where it cannot go on one line on stderr in one form.
#pragma once

#include <exception>
#include <functional>
#include <string_view>

namespace scalelaw {

// "scalelaw train: error: MESSAGE"; `command` is what the user typed: "scalelaw train". The
// message is escaped (trainer/escaped.h): it is one line. Returns kExitBadInput for a ConfigError
// and for a folder that this user may not look into, else kExitOther.
int end_with_error(std::string_view command, const std::exception& error);

// In what a program says that ended for want of memory, and did not for anything else.
inline constexpr const char* kMemoryDoesNotSuffice = "memory does not suffice";

// What a program was run for: the text that it prints, or the files that it leaves.
enum class Product { kText, kFiles };

struct Outcome {
  int exit_code;
  Product product = Product::kText;
};

// What main returns: `body`'s exit code, or end_with_error() of what it threw. What was printed is
// flushed: where stdout could not take all of it 0 becomes kExitOther and a message says so. Where
// its reader has gone (SIGPIPE is ignored from here on) there is no message, and 0 stays where the
// product is files.
int run_main(std::string_view command, const std::function<Outcome()>& body);
int run_main(std::string_view command, const std::function<int()>& body);  // of text

}  // namespace scalelaw
