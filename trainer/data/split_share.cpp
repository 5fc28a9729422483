#include "trainer/data/split_share.h"

#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {

std::optional<double> split_share(Split split, const std::string& text) {
  const std::optional<double> share = parse_real(text);
  if (share && (*share < 0 || *share > 1)) {
    throw ConfigError("--" + std::string(name(split)) + " " + text +
                      ": a share is from 0 to 1 (or 0% to 100%)");
  }
  return share;
}

}  // namespace scalelaw
