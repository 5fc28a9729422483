// Numbers of configurations and command lines.
#include <cmath>

#include "tests/fuzz/fuzz_target.h"
#include "trainer/number.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  if (const auto real = parse_real(bytes)) {
    require(std::isfinite(*real), "a number is finite");
    require(parse_real(canonical(*real)) == real, "canonical text reads back the same");
    (void)human(*real);
  }
  if (const auto whole = parse_whole(bytes)) {
    require(parse_whole(std::to_string(*whole)) == whole, "a whole number reads back the same");
  }
  if (const auto seconds = parse_duration(bytes)) require(*seconds >= 0, "a duration is no debt");
  if (const auto count = parse_bytes(bytes)) require(*count >= 0, "a size is no debt");
  (void)real_limit_exceeded(bytes);
  (void)whole_limit_exceeded(bytes);
}

}  // namespace scalelaw
