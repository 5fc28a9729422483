#include "trainer/data/tokenizer_request.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/mixture.h"
#include "trainer/data/source_files.h"
#include "trainer/data/standard_input.h"
#include "trainer/number.h"
#include "trainer/shell_word.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

using Progress = std::function<void(const BuildProgress&)>;

// SentencePiece says nothing while it trains: a sign of life a second.
class Ticker {
 public:
  Ticker(const Progress& progress, const BuildProgress& stage)
      : thread_([&progress, stage](const std::stop_token& stop) {
          std::mutex mutex;
          std::unique_lock lock(mutex);
          std::condition_variable_any wake;
          while (!stop.stop_requested()) {
            progress(stage);
            wake.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
          }
        }) {}

 private:
  std::jthread thread_;
};

int64_t peak_bytes() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return int64_t{used.ru_maxrss} * 1024;
}

// A tokenizer.json, or GPT-2's merges.txt or vocab.bpe.
bool is_of_another_library(const fs::path& file) {
  const std::string suffix = file.extension().string();
  return suffix == ".json" || suffix == ".txt" || suffix == ".bpe";
}

// What scripts/encode_hf.py opens.
bool is_read_by_encode_hf(fs::path file) {
  if (file.extension() == ".gz" || file.extension() == ".xz") file.replace_extension();
  return file.extension() == ".jsonl" || file.extension() == ".txt";
}

// The files of sources as words of its command; `placeholder` where it could not read them all, or
// where they are too many for a message.
std::string files_for_encode_hf(const std::vector<std::string>& sources,
                                const SourceOptions& options, const std::string& placeholder) {
  constexpr std::size_t kMost = 20;
  if (std::count(sources.begin(), sources.end(), kStandardInput) > 0) return " " + placeholder;
  const std::vector<SourceFile> files = find_sources(sources, options).files;
  std::string words;
  for (const SourceFile& file : files) {
    if (files.size() > kMost || !is_read_by_encode_hf(file.path)) return " " + placeholder;
    words += " " + shell_word(file.path.string());
  }
  return words;
}

// A share, or a file of its own.
std::string split_for_encode_hf(const BuildOptions& options, Split split, double share) {
  const std::string option = " --" + std::string(name(split));
  const auto given = options.given_sources.find(split);
  if (given == options.given_sources.end()) return option + " " + canonical(share);
  const std::string placeholder = "FILE";
  const std::string file = files_for_encode_hf(given->second, options.corpus.sources, placeholder);
  const bool is_one = given->second.size() == 1 && fs::is_regular_file(given->second.front());
  return option + (is_one ? file : " " + placeholder);
}

[[noreturn]] void fail_other_library(const BuildOptions& options) {
  const CorpusOptions& corpus = options.corpus;
  std::string command = "python3 scripts/encode_hf.py --tokenizer " +
                        shell_word(options.tokenizer) + " --out ids/ --name " + options.name;
  if (const std::string& key = corpus.sources.jsonl_key; key != SourceOptions().jsonl_key) {
    command += " --jsonl-key " + shell_word(key);
  }
  command += split_for_encode_hf(options, Split::kValidation, corpus.validation_share) +
             split_for_encode_hf(options, Split::kTest, corpus.test_share) +
             files_for_encode_hf(options.sources, corpus.sources, "FILES");
  throw ConfigError(
      "--tokenizer " + options.tokenizer +
      ": is no SentencePiece model, the only kind that is encoded with here. Python's "
      "tokenizers makes ids by a tokenizer.json or GPT-2's merges, and they can be "
      "imported: `" +
      command + "`" +
      (command.find(" FILE") == std::string::npos
           ? ""
           : " (FILES: .jsonl or .txt, plain, .gz or .xz; a pipe, .zst and other suffixes it does "
             "not read)") +
      ", and then the `scalelaw data import ...` that it prints");
}

// Peak memory of a process that trains on `sample_bytes` bytes, beside its table of pieces: above
// all peaks measured on English books (docs/data.md).
struct TrainingMemory {
  int64_t start = 0;
  int64_t each = 0;  // byte of the sample
};

TrainingMemory training_memory(PieceModel kind) {
  return kind == PieceModel::kBpe ? TrainingMemory{.start = 80'000'000, .each = 10}
                                  : TrainingMemory{.start = 48'000'000, .each = 30};
}

// The sample that is wanted, or what of it fits. From counts alone and never from what is free or
// held at the moment: the same build makes the same tokens everywhere.
int64_t sample_limit(const BuildOptions& options, PieceModel kind, const Corpus& corpus) {
  constexpr int64_t kPieceBytes = 120;
  if (options.max_memory_bytes == 0) return options.tokenizer_sample_bytes;
  int64_t held = 0;
  for (const auto& [split, pieces] : corpus.splits) {
    held += kPieceBytes * static_cast<int64_t>(pieces.size());
  }
  // The last piece may reach beyond.
  const TrainingMemory memory = training_memory(kind);
  const int64_t fits =
      (options.max_memory_bytes - held - memory.start) / memory.each - options.corpus.piece_bytes;
  if (fits <= 0) {
    throw ConfigError("--max-memory " + std::to_string(options.max_memory_bytes) +
                      ": no sample of text fits; training a tokenizer on the smallest takes " +
                      human(static_cast<double>(held + memory.start +
                                                memory.each * (options.corpus.piece_bytes + 1))) +
                      " bytes. Give it more, or a tokenizer that is there (--tokenizer set:NAME)");
  }
  return std::min(options.tokenizer_sample_bytes, fits);
}

}  // namespace

TokenizerRequest parse_tokenizer(const BuildOptions& options) {
  const std::string& text = options.tokenizer;
  const bool trains = text.starts_with("bpe:") || text.starts_with("unigram:");
  if (options.max_memory_bytes > 0 && !trains) {
    throw ConfigError(
        "--max-memory goes with a tokenizer to be trained, --tokenizer bpe:PIECES or "
        "unigram:PIECES, and not with " +
        text);
  }
  TokenizerRequest request;
  if (text == "bytes") {
    request.given = Tokenizer::bytes();
    return request;
  }
  const std::size_t colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  const std::string rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (kind == "set") {
    request.given = open_tokenizer(open_data_set(options.data_root, rest));
  } else if (kind == "bpe" || kind == "unigram") {
    const std::optional<int64_t> n_vocab = parse_whole(rest);
    if (!n_vocab || *n_vocab < 260 || *n_vocab > 1'000'000) {
      throw ConfigError("--tokenizer " + text +
                        ": the number of pieces is from 260 (256 bytes and "
                        "3 signs are among them) to 1000000");
    }
    request.kind = kind == "bpe" ? PieceModel::kBpe : PieceModel::kUnigram;
    request.n_vocab = *n_vocab;
  } else if (fs::is_regular_file(text)) {
    if (is_of_another_library(text)) fail_other_library(options);
    request.given =
        Tokenizer::sentencepiece(read_whole_file(text), fs::path(text).filename().string());
  } else {
    throw ConfigError("--tokenizer " + text +
                      ": is neither bytes, bpe:PIECES, unigram:PIECES, set:NAME nor a file");
  }
  return request;
}

TrainedTokenizer train_tokenizer(const BuildOptions& options, const TokenizerRequest& request,
                                 const Corpus& corpus, const Progress& progress) {
  // A pure test set has no train text; its own is better than none, and --tokenizer set:NAME best.
  TokenizerSample sample{.max_memory_bytes = options.max_memory_bytes};
  const int64_t limit = sample_limit(options, request.kind, corpus);
  std::vector<std::string> texts;
  for (const Piece* piece : first_pieces(corpus, options.sources, options.weights, limit)) {
    texts.push_back(corpus.text(*piece));
    sample.text_bytes += piece->bytes;
    ++sample.documents;
  }
  sample.cut = sample.text_bytes >= limit && limit < options.tokenizer_sample_bytes;
  const Ticker ticker(progress, {.stage = "tokenizer", .total_bytes = sample.text_bytes});
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  Tokenizer tokenizer = Tokenizer::sentencepiece(
      train_sentencepiece(request.kind, request.n_vocab, views), options.tokenizer);
  sample.peak_memory_bytes = peak_bytes();
  return {std::move(tokenizer), sample};
}

}  // namespace scalelaw
