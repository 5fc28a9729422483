#include "trainer/data/import_plan.h"

#include <algorithm>
#include <span>
#include <unordered_set>

#include "trainer/config_error.h"
#include "trainer/data/foreign/id_reader.h"
#include "trainer/hash.h"

namespace scalelaw {

namespace {

struct HashOfHash {
  std::size_t operator()(const TextHash& hash) const { return hash.low; }
};
using HashSet = std::unordered_set<TextHash, HashOfHash>;

// Parts the ids of one role into documents.
class DocumentScanner {
 public:
  using Sink = std::function<void(int64_t tokens, TextHash hash)>;

  DocumentScanner(const std::optional<DocumentMark>& mark, Sink sink)
      : mark_(mark), sink_(std::move(sink)) {}

  bool saw_mark() const { return saw_mark_; }

  void begin_file(const TokenLayout& file) {
    if (!file.document_ends.empty()) end_document();
    ends_ = file.document_ends;
    at_ = 0;
  }
  void add(std::span<const uint32_t> ids) { ends_.empty() ? part_by_mark(ids) : part_by_ends(ids); }
  void end_document() {
    if (tokens_ == 0) return;
    sink_(tokens_, text_hash(hasher_->hex()));
    hasher_.emplace();
    tokens_ = 0;
  }

 private:
  void take(std::span<const uint32_t> ids) {
    hasher_->add(std::as_bytes(ids));
    tokens_ += static_cast<int64_t>(ids.size());
  }
  void part_by_mark(std::span<const uint32_t> ids) {
    while (!ids.empty()) {
      const auto found = std::find(ids.begin(), ids.end(), mark_->id);
      const auto before = static_cast<std::size_t>(found - ids.begin());
      if (found == ids.end()) return take(ids);
      saw_mark_ = true;
      take(ids.first(before));
      if (mark_->begins) end_document();
      take(ids.subspan(before, 1));
      if (!mark_->begins) end_document();
      ids = ids.subspan(before + 1);
    }
  }
  void part_by_ends(std::span<const uint32_t> ids) {
    while (!ids.empty()) {
      const int64_t left = ends_.front() - at_;
      const std::size_t count = std::min(ids.size(), static_cast<std::size_t>(left));
      take(ids.first(count));
      at_ += static_cast<int64_t>(count);
      ids = ids.subspan(count);
      if (at_ < ends_.front()) continue;
      ends_ = ends_.subspan(1);
      end_document();
    }
  }

  const std::optional<DocumentMark>& mark_;
  Sink sink_;
  std::span<const int64_t> ends_;  // of the file, those that are still to come
  int64_t at_ = 0;                 // in the file
  std::optional<Hasher> hasher_{std::in_place};
  int64_t tokens_ = 0;  // of the document that has begun
  bool saw_mark_ = false;
};

class Planner {
 public:
  Planner(const ImportSources& sources, int64_t n_vocab, const std::optional<DocumentMark>& mark,
          const SplitShares& shares, const std::function<void(int64_t)>& progress)
      : sources_(sources), n_vocab_(n_vocab), mark_(mark), shares_(shares), progress_(progress) {
    if (sources.given.contains(Split::kValidation)) shares_.validation = 0;
    if (sources.given.contains(Split::kTest)) shares_.test = 0;
  }

  ImportPlan run() {
    std::vector<std::string> given_hashes;
    for (const auto& [split, files] : sources_.given) {
      const Split of = split;
      const auto hashes = scan(files, [&, of](int64_t tokens, TextHash hash) {
        count_document(of, tokens);
        held_out_.insert(hash);
      });
      given_hashes.insert(given_hashes.end(), hashes.begin(), hashes.end());
      plan_.tokens[split] = tokens_of(files);
    }
    plan_.by_documents = are_parted(sources_.train);
    plan_.file_hashes =
        scan(sources_.train, [&](int64_t tokens, TextHash hash) { place_document(tokens, hash); });
    plan_.file_hashes.insert(plan_.file_hashes.end(), given_hashes.begin(), given_hashes.end());
    if (!plan_.by_documents) cut_blocks();
    for (const TokenRange& range : plan_.train) {
      if (range.split) plan_.tokens[*range.split] += range.tokens;
    }
    check_splits();
    return std::move(plan_);
  }

 private:
  static int64_t tokens_of(const TokenSources& files) {
    int64_t tokens = 0;
    for (const TokenLayout& file : files) tokens += file.n_tokens;
    return tokens;
  }

  bool are_parted(const TokenSources& files) const {
    return mark_ || std::all_of(files.begin(), files.end(), [](const TokenLayout& file) {
             return !file.document_ends.empty();
           });
  }

  // Returns the hashes of the files' ids. All are checked, also where no document is known.
  std::vector<std::string> scan(const TokenSources& files, const DocumentScanner::Sink& sink) {
    const bool parted = are_parted(files);
    bool by_mark = false;
    DocumentScanner scanner(mark_, sink);
    std::vector<std::string> hashes;
    for (const TokenLayout& file : files) {
      if (parted) scanner.begin_file(file);
      by_mark = by_mark || file.document_ends.empty();
      hashes.push_back(read_ids(file, n_vocab_, [&](std::span<const uint32_t> ids) {
        if (parted) scanner.add(ids);
        done_bytes_ += static_cast<int64_t>(ids.size()) * bytes_of(file.type);
        progress_(done_bytes_);
      }));
    }
    scanner.end_document();
    if (parted && by_mark && !scanner.saw_mark()) {
      throw ConfigError(std::string(mark_->begins ? "--bod " : "--eod ") +
                        std::to_string(mark_->id) + ": " + files.front().file.string() +
                        (files.size() > 1 ? " and the files beside it hold" : " holds") +
                        " no such id: documents are parted by another, or leave the option out");
    }
    return hashes;
  }

  void count_document(Split split, int64_t tokens) {
    ++plan_.documents[split];
    plan_.longest_document_tokens = std::max(plan_.longest_document_tokens, tokens);
  }

  void place_document(int64_t tokens, TextHash hash) {
    if (held_out_.contains(hash)) {
      ++plan_.held_out_documents;
      plan_.held_out_tokens += tokens;
      add_range({tokens, std::nullopt});
      return;
    }
    const double place = split_place(hash);
    const Split split = place < shares_.test                        ? Split::kTest
                        : place < shares_.test + shares_.validation ? Split::kValidation
                                                                    : Split::kTrain;
    count_document(split, tokens);
    add_range({tokens, split});
  }

  void add_range(const TokenRange& range) {
    if (!plan_.train.empty() && plan_.train.back().split == range.split) {
      plan_.train.back().tokens += range.tokens;
    } else if (range.tokens > 0) {
      plan_.train.push_back(range);
    }
  }

  void cut_blocks() {
    const int64_t tokens = tokens_of(sources_.train);
    const auto share = [tokens](double of) {
      return static_cast<int64_t>(static_cast<double>(tokens) * of);
    };
    const int64_t test = share(shares_.test);
    const int64_t validation = std::min(share(shares_.validation), tokens - test);
    add_range({tokens - test - validation, Split::kTrain});
    add_range({validation, Split::kValidation});
    add_range({test, Split::kTest});
  }

  void check_splits() const {
    const std::map<Split, bool> wanted = {{Split::kTrain, shares_.validation + shares_.test < 1},
                                          {Split::kValidation, shares_.validation > 0},
                                          {Split::kTest, shares_.test > 0}};
    for (const auto& [split, want] : wanted) {
      if (!want || plan_.tokens.contains(split)) continue;
      throw ConfigError(
          "the " + std::string(name(split)) + " split came out empty: " +
          (split == Split::kTrain && plan_.held_out_documents > 0
               ? "all documents of the sources stand in those of --val or --test as well"
               : "too few " + std::string(plan_.by_documents ? "documents" : "ids") +
                     " to share out. Give larger shares (--val 20% --test 20%), files of their "
                     "own (--val FILE --test FILE) or 0 for no such split"));
    }
  }

  const ImportSources& sources_;
  int64_t n_vocab_;
  const std::optional<DocumentMark>& mark_;
  SplitShares shares_;
  const std::function<void(int64_t)>& progress_;
  int64_t done_bytes_ = 0;
  HashSet held_out_;
  ImportPlan plan_;
};

}  // namespace

ImportPlan plan_import(const ImportSources& sources, int64_t n_vocab,
                       const std::optional<DocumentMark>& mark, const SplitShares& shares,
                       const std::function<void(int64_t)>& progress) {
  return Planner(sources, n_vocab, mark, shares, progress).run();
}

}  // namespace scalelaw
