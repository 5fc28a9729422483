#include "trainer/program_exit.h"

#include <algorithm>
#include <iostream>
#include <string>

#include "trainer/config_error.h"

namespace scalelaw {

int end_with_error(std::string_view command, const std::exception& error) {
  std::string message = error.what();
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::cerr << command << ": error: " << message << '\n';
  return dynamic_cast<const ConfigError*>(&error) != nullptr ? kExitBadInput : kExitOther;
}

int end_with_usage_error(std::string_view command, std::string_view what) {
  const std::string all(what);
  return end_with_error(command,
                        ConfigError(all.substr(0, all.find_last_not_of(".\n ") + 1) + "; `" +
                                    std::string(command) + " --help` lists what it takes"));
}

}  // namespace scalelaw
