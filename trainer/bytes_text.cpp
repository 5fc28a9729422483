#include "trainer/bytes_text.h"

#include <cmath>
#include <cstdint>
#include <iterator>

#include "trainer/number.h"

namespace scalelaw {

std::string bytes_text(double bytes) {
  constexpr const char* kUnits[] = {" B", " kB", " MB", " GB", " TB", " PB"};
  if (bytes < 1000) return std::to_string(static_cast<int64_t>(bytes)) + kUnits[0];
  std::size_t unit = 0;
  // From there on human() rounds to the next unit.
  while (bytes >= 999.5 && unit + 1 < std::size(kUnits)) {
    bytes /= 1000;
    ++unit;
  }
  return human(bytes) + kUnits[unit];
}

}  // namespace scalelaw
