// The one table of verbs: what `scalelaw` prints, what it accepts and which program does it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

struct Verb {
  std::string_view name;
  std::string_view program;  // beside this one; empty: done here
  // The program has several of these verbs and is told which; else it takes the next word as its
  // own verb (`scalelaw data build` is `scalelaw-data build`).
  bool pass_name;
  std::string_view group;
  std::string_view what;  // one line
};
const std::vector<Verb>& verbs();
const Verb* find_verb(std::string_view name);  // nullptr: no such verb

// What to do with a command line (without argv[0]).
struct Dispatch {
  const Verb* verb;  // never nullptr
  std::vector<std::string> arguments;
};
// `help VERB` becomes `VERB --help`; nothing, --help and --version become help and version.
// ConfigError for an unknown verb, with the nearest one.
Dispatch dispatch(const std::vector<std::string>& arguments);

std::string overview();  // the verbs by group, and two examples

}  // namespace scalelaw
