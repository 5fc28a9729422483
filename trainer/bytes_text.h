// Bytes for people: in letters that no number of parameters or tokens has.
#pragma once

#include <string>

namespace scalelaw {

// "12 B", "3.4 kB", "1.2 GB", decimal; three significant digits at most.
std::string bytes_text(double bytes);

}  // namespace scalelaw
