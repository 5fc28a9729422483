#include "trainer/data/corpus.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "trainer/config_error.h"
#include "trainer/data/text_reader.h"
#include "trainer/utf8.h"

namespace scalelaw {

namespace {

constexpr std::size_t kLongLine = 20;

struct HashOfHash {
  std::size_t operator()(const TextHash& hash) const { return hash.low; }
};
using HashSet = std::unordered_set<TextHash, HashOfHash>;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

template <typename Sink>
void for_each_long_line(std::string_view text, const Sink& sink) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    if (line.size() > kLongLine) sink(text_hash(line).low);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

class Gatherer {
 public:
  Gatherer(const CorpusSources& sources, const CorpusOptions& options,
           const std::filesystem::path& scratch)
      : sources_(sources), options_(options), corpus_{{}, {}, TextSpool(scratch)} {
    // A given split takes no share of the other documents.
    validation_share_ = is_given(Split::kValidation) ? 0 : options.validation_share;
    test_share_ = is_given(Split::kTest) ? 0 : options.test_share;
  }

  Corpus run(const std::function<void(int64_t)>& progress) {
    for (const Split split : {Split::kTest, Split::kValidation}) {
      if (is_given(split)) read(sources_.given.at(split), &split, progress);
    }
    held_out_ = documents_;
    read(sources_.train, nullptr, progress);
    shuffle();
    check_splits();
    return std::move(corpus_);
  }

 private:
  bool is_given(Split split) const { return sources_.given.contains(split); }

  void read(const SourceList& list, const Split* given,
            const std::function<void(int64_t)>& progress) {
    CorpusCounts& counts = corpus_.counts;
    counts.other_files += list.other_files;
    counts.excluded_files += list.excluded_files;
    for (const SourceFile& file : list.files) {
      int64_t left = options_.cap_per_file > 0 ? options_.cap_per_file : INT64_MAX;
      read_documents(
          file, options_.sources,
          [&](const Document& document) { add(file, document, given, left); },
          [&](int64_t done) { progress(counts.source_bytes + done); });
      ++counts.files;
      counts.source_bytes += file.bytes;
    }
  }

  // Drops what lies behind the file's cap; `left` is what the file may still give.
  std::string_view capped(std::string_view text, int64_t& left) {
    const auto bytes = static_cast<int64_t>(text.size());
    std::string_view kept = text;
    if (bytes > left) {
      kept = left < 4 ? std::string_view()
                      : cut_at_line_ends(text, static_cast<std::size_t>(left)).front();
      left = 0;
    } else {
      left -= bytes;
    }
    corpus_.counts.bytes_over_cap += bytes - static_cast<int64_t>(kept.size());
    return kept;
  }

  void add(const SourceFile& file, const Document& document, const Split* given, int64_t& left) {
    CorpusCounts& counts = corpus_.counts;
    ++counts.documents;
    counts.longest_document_bytes =
        std::max(counts.longest_document_bytes, static_cast<int64_t>(document.text.size()));
    if (trimmed(document.text).empty()) {
      ++counts.empty_documents;
      return;
    }
    const TextHash hash = text_hash(document.text);
    if (held_out_.contains(hash)) {
      ++counts.held_out_documents;
      return;
    }
    if (documents_.contains(hash)) {
      ++counts.duplicate_documents;
      return;
    }
    const std::string_view text = capped(document.text, left);
    if (text.empty()) {
      ++counts.over_cap_documents;
      return;
    }
    documents_.insert(hash);
    const auto parts = cut_at_line_ends(text, static_cast<std::size_t>(options_.piece_bytes));
    int64_t duplicates = 0;
    for (const std::string_view part : parts) {
      const TextHash piece = text_hash(part);
      if (!pieces_.insert(piece).second) {
        ++duplicates;
        continue;
      }
      const Split split = given != nullptr ? *given : split_of(file, hash, piece);
      corpus_.splits[split].push_back({.hash = piece,
                                       .offset = corpus_.spool.append(part),
                                       .bytes = static_cast<int64_t>(part.size()),
                                       .source = apart(split) ? file.source : 0});
    }
    if (duplicates == static_cast<int64_t>(parts.size())) {
      ++counts.duplicate_documents;
      return;
    }
    ++counts.kept_documents;
    counts.duplicate_pieces += duplicates;
    if (parts.size() > 1) ++counts.documents_cut;
  }

  Split split_of(const SourceFile& file, TextHash document, TextHash piece) const {
    TextHash group = document;
    if (options_.split_by == SplitBy::kPiece) group = piece;
    if (options_.split_by == SplitBy::kFolder) {
      group = text_hash(std::filesystem::path(file.label).parent_path().generic_string());
    }
    const double place = split_place(group);
    if (place < test_share_) return Split::kTest;
    if (place < test_share_ + validation_share_) return Split::kValidation;
    return Split::kTrain;
  }

  bool apart(Split split) const { return options_.sources_apart && split == Split::kTrain; }

  // By content and seed alone: neither names nor the order of the sources enter.
  void shuffle() {
    for (auto& [split, pieces] : corpus_.splits) {
      std::sort(pieces.begin(), pieces.end(), [this](const Piece& a, const Piece& b) {
        if (a.source != b.source) return a.source < b.source;
        const uint64_t place_a = keyed(a.hash, options_.seed);
        const uint64_t place_b = keyed(b.hash, options_.seed);
        return place_a != place_b ? place_a < place_b : a.hash < b.hash;
      });
    }
  }

  void check_splits() const {
    if (corpus_.splits.empty()) {
      throw ConfigError(
          sources_.train.files.front().path.string() +
          (corpus_.counts.files > 1 ? " and the other sources: hold" : ": holds") +
          " no text (documents read: " + std::to_string(corpus_.counts.documents) +
          ", of white space alone: " + std::to_string(corpus_.counts.empty_documents) + ")");
    }
    const std::map<Split, bool> wanted = {
        {Split::kTrain, validation_share_ + test_share_ < 1},
        {Split::kValidation, is_given(Split::kValidation) || validation_share_ > 0},
        {Split::kTest, is_given(Split::kTest) || test_share_ > 0}};
    for (const auto& [split, want] : wanted) {
      if (!want || corpus_.splits.contains(split)) continue;
      if (split == Split::kTrain && corpus_.counts.held_out_documents > 0) {
        throw ConfigError(
            "the train split came out empty: " + std::to_string(corpus_.counts.held_out_documents) +
            " documents of the sources stand in those of --val or --test as well "
            "and are held out. Name other text there, or a share (--val 2%)");
      }
      throw ConfigError(
          "the " + std::string(name(split)) +
          " split came out empty: " + std::to_string(corpus_.counts.documents) +
          " documents are too few to share out by hash. Give larger shares (--val 20% "
          "--test 20%), sources of their own (--val FILE --test FILE), 0 for no such "
          "split, or --split-by piece to share out parts of documents");
    }
  }

  const CorpusSources& sources_;
  const CorpusOptions& options_;
  double validation_share_ = 0;
  double test_share_ = 0;
  Corpus corpus_;
  HashSet documents_;  // all whose text stands in the corpus
  HashSet held_out_;   // those of given val and test sources
  HashSet pieces_;
};

}  // namespace

Corpus gather_corpus(const CorpusSources& sources, const CorpusOptions& options,
                     const std::filesystem::path& scratch,
                     const std::function<void(int64_t)>& progress) {
  return Gatherer(sources, options, scratch).run(progress);
}

LineOverlap test_lines_in_train(const Corpus& corpus,
                                const std::function<void(int64_t, int64_t)>& progress) {
  LineOverlap overlap;
  const Split held_out = corpus.splits.contains(Split::kTest) ? Split::kTest : Split::kValidation;
  if (!corpus.splits.contains(held_out) || !corpus.splits.contains(Split::kTrain)) return overlap;
  std::unordered_map<uint64_t, int64_t> wanted;  // line of the held-out split -> times
  for (const Piece& piece : corpus.splits.at(held_out)) {
    for_each_long_line(corpus.text(piece), [&](uint64_t line) {
      ++overlap.lines;
      ++wanted[line];
    });
  }
  int64_t done = 0, total = 0;
  for (const Piece& piece : corpus.splits.at(Split::kTrain)) total += piece.bytes;
  for (const Piece& piece : corpus.splits.at(Split::kTrain)) {
    for_each_long_line(corpus.text(piece), [&](uint64_t line) {
      const auto found = wanted.find(line);
      if (found == wanted.end()) return;
      overlap.in_train += found->second;
      wanted.erase(found);
    });
    done += piece.bytes;
    progress(done, total);
  }
  return overlap;
}

}  // namespace scalelaw
