// What every target has, and the entry that libFuzzer knows.
#include "tests/fuzz/fuzz_target.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "tests/support/temp_dir.h"

namespace scalelaw {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

const std::filesystem::path& scratch_folder() {
  static const TempDir folder;
  return folder.path();
}

std::filesystem::path scratch_file(const std::string& name, std::string_view bytes) {
  const std::filesystem::path file = scratch_folder() / name;
  if (file.parent_path() != scratch_folder()) {
    std::filesystem::create_directories(file.parent_path());
  }
  std::ofstream stream(file, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  require(!stream.fail(), "the scratch file could be written");
  return file;
}

}  // namespace scalelaw

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  try {
    scalelaw::read_hostile({reinterpret_cast<const char*>(data), size});
  } catch (const std::runtime_error&) {  // ConfigError is one
  }
  return 0;
}
