// Megatron's indexed data sets: NAME.bin holds the ids, NAME.idx where sequences and documents lie.
//
//   .idx: "MMIDIDX\0\0", u64 version 1, u8 type, u64 sequences S, u64 document indices D,
//         S int32 lengths in ids, S int64 places in bytes, D int64 document indices (the first 0,
//         each the number of sequences before a document's end), S int8 modes if multimodal
//   type: 1 u8, 2 i8, 3 i16, 4 i32, 5 i64, 8 u16; 9 u32 and 10 u64 in forks; 6 and 7 are floats
//
// Sources: NVIDIA/Megatron-LM, megatron/core/datasets/indexed_dataset.py (DType, _IndexWriter,
// _IndexReader, IndexedDatasetBuilder); types 9 and 10: facebookresearch/fairseq,
// fairseq/data/indexed_dataset.py (_code_to_dtype), the table that the forks share.
#pragma once

#include <filesystem>

#include "trainer/data/foreign/token_layout.h"

namespace scalelaw {

// `index` is the .idx; the .bin beside it is opened too. Memory: 8 bytes a document. ConfigError:
// another kind of file or version, floats, several modes, arrays that do not fill the file, lengths
// below 0, sequences that do not follow one another, documents that do not ascend to the last
// sequence, a .bin that is not there or of another length.
TokenLayout read_megatron_layout(const std::filesystem::path& index);

}  // namespace scalelaw
