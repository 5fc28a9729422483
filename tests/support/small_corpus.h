// Text with something to learn at every size: sentences of a small grammar, no two documents equal.
#pragma once

#include <cstdint>
#include <filesystem>

namespace scalelaw {

// Writes JSON lines, one document of about 1 kB each; every call with the same numbers writes the
// same bytes.
void write_small_corpus(const std::filesystem::path& file, int documents, uint32_t seed = 1);

}  // namespace scalelaw
