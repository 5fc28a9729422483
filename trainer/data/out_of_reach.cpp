#include "trainer/data/out_of_reach.h"

namespace scalelaw {

OutOfReach closed(const std::filesystem::path& path, const std::string& error) {
  return {path.string() + ": " + error,
          "make it readable for this user, or choose another folder with --data"};
}

OutOfReach too_new(const std::filesystem::path& file, int64_t version, int64_t newest) {
  return {file.string() + ": is of version " + std::to_string(version) +
              ", this program reads up to " + std::to_string(newest),
          "use the program that built it, or a newer one"};
}

}  // namespace scalelaw
