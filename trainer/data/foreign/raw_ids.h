// Ids alone, one after the other, without a header. nanoGPT writes them so, as u16.
//
// Source: karpathy/nanoGPT, data/openwebtext/prepare.py (np.memmap of np.uint16), which puts the
// end-of-text id behind each document; train.py reads them back the same way.
#pragma once

#include <filesystem>

#include "trainer/data/foreign/token_layout.h"

namespace scalelaw {

// ConfigError: the file's bytes are no whole number of ids.
TokenLayout read_raw_layout(const std::filesystem::path& file, IdType type);

// As nanoGPT writes. Nothing in the file says that it is u16, so ConfigError also where every other
// one of the first ids is below 4, as those of a u32 file are.
TokenLayout read_nanogpt_layout(const std::filesystem::path& file);

}  // namespace scalelaw
