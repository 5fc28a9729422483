// From documents to what goes into each split: no document twice, none in two splits, long ones in
// pieces, everything in one seeded shuffle, and a count of all that was left out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "trainer/data/data_set.h"
#include "trainer/data/source_files.h"
#include "trainer/data/text_hash.h"
#include "trainer/data/text_spool.h"

namespace scalelaw {

// What is never torn apart between train, val and test.
enum class SplitBy {
  kDocument,  // a file of text or a line of .jsonl, with all its pieces
  kFolder,    // all files of one folder: for sources whose neighbours resemble each other
  kPiece,     // a piece of at most piece_bytes: for a few long texts; the weakest guarantee
};

struct CorpusOptions {
  SourceOptions sources;
  SplitBy split_by = SplitBy::kDocument;
  double validation_share =
      0.02;                     // of documents, folders or pieces; decided by their hash, so that
  double test_share = 0.02;     // adding others moves none
  int64_t piece_bytes = 16384;  // longer documents are cut, at line ends
  int64_t cap_per_file = 0;     // bytes read of a file, cut at a line end; 0: all
  uint64_t seed = 1;            // of the shuffle
  bool sources_apart = false;   // train stands source by source, each in a shuffle of its own
};

// Files whose split is given: those of `train` are split by hash unless a split has files itself.
struct CorpusSources {
  SourceList train;
  std::map<Split, SourceList> given;  // kValidation, kTest
};

// Its text lies on disk, in the corpus' spool.
struct Piece {
  TextHash hash;
  int64_t offset = 0;
  int64_t bytes = 0;
  int source = 0;  // SourceFile::source in train with sources_apart, else 0
};

// Each document read is kept, or dropped for one reason: the first of those below that holds.
struct CorpusCounts {
  int64_t files = 0;
  int64_t source_bytes = 0;            // as stored
  int64_t documents = 0;               // read, before anything is dropped
  int64_t kept_documents = 0;          // whole or in part
  int64_t documents_cut = 0;           // of the kept ones, cut into pieces
  int64_t longest_document_bytes = 0;  // of those read
  int64_t empty_documents = 0;         // dropped: no character but white space
  int64_t duplicate_documents = 0;     // dropped: the same text stood before, whole or in pieces
  int64_t held_out_documents = 0;  // dropped from train: they stand in a given val or test source
  int64_t over_cap_documents = 0;  // dropped: wholly behind cap_per_file
  int64_t duplicate_pieces = 0;    // dropped from kept documents: the same piece stood before
  int64_t bytes_over_cap = 0;      // dropped from documents, kept or not: behind cap_per_file
  int64_t other_files = 0;         // not read: of another kind
  int64_t excluded_files = 0;      // not read: --exclude
};

struct Corpus {
  std::map<Split, std::vector<Piece>> splits;  // shuffled; a split without pieces is left out
  CorpusCounts counts;
  TextSpool spool;

  std::string text(const Piece& piece) const { return spool.read(piece.offset, piece.bytes); }
};

// Texts are put aside in the folder `scratch`: memory holds the largest document, and about 100
// bytes a piece. `progress` hears how many stored bytes have been read. ConfigError: what
// read_documents throws, or a split that was asked for and came out empty.
Corpus gather_corpus(const CorpusSources& sources, const CorpusOptions& options,
                     const std::filesystem::path& scratch,
                     const std::function<void(int64_t)>& progress);

// Lines of more than 20 characters (without the white space around them): how many of the test
// split's, or for want of one the validation split's, stand in train word for word.
struct LineOverlap {
  int64_t lines = 0;
  int64_t in_train = 0;
};
// `progress` hears how many bytes of text have been compared, and of how many.
LineOverlap test_lines_in_train(const Corpus& corpus,
                                const std::function<void(int64_t, int64_t)>& progress);

}  // namespace scalelaw
