// Token files (.bin) of llm.c and modded-nanogpt.
//
//   256 int32: magic, version, number of ids, zeros; then the ids
//   magic 20240520, version 1: u16 (GPT-2);   magic 20240801, version 7: u32 (Llama 3)
//
// Sources: karpathy/llm.c, dev/data/data_common.py (HEADERS_INFO, write_datafile) and
// llmc/dataloader.h; KellerJordan/modded-nanogpt, train_gpt.py (_load_data_shard), which reads the
// first kind. Both put the end-of-text id before each document and not behind it.
#pragma once

#include <filesystem>

#include "trainer/data/foreign/token_layout.h"

namespace scalelaw {

// Whether the file begins with a magic number of llm.c, be it of ids, evaluations or a model.
bool has_llm_c_magic(const ForeignFile& file);

// ConfigError: another kind of file (of llm.c's own kinds by name) or version, a number of ids that
// is negative or not the file's.
TokenLayout read_llm_c_layout(const std::filesystem::path& file);

}  // namespace scalelaw
