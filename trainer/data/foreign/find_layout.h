// Which reader a file of token ids is for: by what it begins with and, where that says nothing, by
// its name.
#pragma once

#include <filesystem>
#include <optional>

#include "trainer/data/foreign/token_layout.h"

namespace scalelaw {

// A .npy, a .bin of llm.c, either file of a Megatron pair or the name they share, nanoGPT's .bin;
// any other file where `raw` says of what type its ids are. A header always counts: `raw` is for
// files without one. ConfigError: the reader's, or no reader.
TokenLayout find_layout(const std::filesystem::path& file, std::optional<IdType> raw);

}  // namespace scalelaw
