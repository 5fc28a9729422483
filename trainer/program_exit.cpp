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

}  // namespace scalelaw
