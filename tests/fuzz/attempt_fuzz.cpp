// attempts/0001.json
#include "tests/fuzz/fuzz_target.h"
#include "trainer/run_record.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  scratch_file("attempts/0001.json", bytes);
  std::vector<std::filesystem::path> damaged;
  const auto attempts = read_attempts({scratch_folder()}, &damaged);
  require(attempts.size() + damaged.size() == 1, "an attempt is read or named");
}

}  // namespace scalelaw
