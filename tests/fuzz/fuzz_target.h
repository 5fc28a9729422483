// What a fuzz target is: one reader, given bytes that may be anything.
//
// NAME_fuzz.cpp beside this file defines read_hostile(), the CMakeLists.txt has a line for it and
// corpus/NAME/ its seeds. Of it come two programs: every build has one that replays the corpus (a
// test of ctest), the preset "fuzz" one that looks for more (scripts/fuzz.sh).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace scalelaw {

// Reads `bytes` as the target's file. ConfigError and std::runtime_error, which readers document,
// may leave it. Any other exception, abort() and whatever a sanitizer sees is a find; so is a call
// of require() that does not hold.
void read_hostile(std::string_view bytes);

// Ends the program, naming `what`, where `holds` is false.
void require(bool holds, const char* what);

// A folder of this process's own, for readers that take a path.
const std::filesystem::path& scratch_folder();
// Writes `bytes` as scratch_folder() / name, folders included, and returns that path.
std::filesystem::path scratch_file(const std::string& name, std::string_view bytes);

}  // namespace scalelaw
