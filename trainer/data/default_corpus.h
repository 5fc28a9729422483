// The corpora that come with the program's own LibTorch, so that a first law needs no download:
// "default", the Python sources of the wheel (where there are none, the C++ headers), and
// "headers", the C++ headers, as a second distribution in default's tokens.
#pragma once

#include <filesystem>
#include <vector>

#include "trainer/data/builder.h"

namespace scalelaw {

// The wheel's torch folder, or an unpacked LibTorch. `given` is one of these, the folder above
// `libtorch`, a virtual environment that has torch, or that one's bin/python; when empty,
// `built_with` is taken, else the torch of .venv in the working directory. ConfigError when it is
// not there or holds neither sources nor headers.
std::filesystem::path find_torch(const std::filesystem::path& given,
                                 const std::filesystem::path& built_with);

// To be built in this order; `build` brings data_root, threads, replace and command_line.
//
// Neighbours in this code resemble each other, so whole folders go to one split, and a file gives
// at most its first 32 KiB (single files reach 1.4 MB). 512 pieces keep the embeddings of the
// smallest models below their other parameters' number.
std::vector<BuildOptions> default_corpora(const std::filesystem::path& torch,
                                          const BuildOptions& build);

}  // namespace scalelaw
