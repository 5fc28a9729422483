#include "trainer/data/builder.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/build_workspace.h"
#include "trainer/data/encode.h"
#include "trainer/data/manifest.h"
#include "trainer/data/standard_input.h"
#include "trainer/data/token_shard_writer.h"
#include "trainer/data/tokenizer.h"
#include "trainer/hash.h"
#include "trainer/number.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

using Progress = std::function<void(const BuildProgress&)>;

// What --tokenizer asks for: one that is there, or one to be trained.
struct TokenizerRequest {
  std::optional<Tokenizer> given;
  PieceModel kind = PieceModel::kBpe;
  int64_t n_vocab = 0;
};

TokenizerRequest parse_tokenizer(const BuildOptions& options) {
  const std::string& text = options.tokenizer;
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
    request.given =
        Tokenizer::sentencepiece(read_whole_file(text), fs::path(text).filename().string());
  } else {
    throw ConfigError("--tokenizer " + text +
                      ": is neither bytes, bpe:PIECES, unigram:PIECES, set:NAME nor a file");
  }
  return request;
}

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

struct TrainedTokenizer {
  Tokenizer tokenizer;
  TokenizerSample sample;
};

TrainedTokenizer train_tokenizer(const BuildOptions& options, const TokenizerRequest& request,
                                 const Corpus& corpus, const Progress& progress) {
  // A pure test set has no train text; its own is better than none, and --tokenizer set:NAME best.
  TokenizerSample sample;
  std::vector<std::string> texts;
  for (const Piece& piece : corpus.splits.begin()->second) {
    if (sample.text_bytes >= options.tokenizer_sample_bytes) break;
    texts.push_back(corpus.text(piece));
    sample.text_bytes += piece.bytes;
    ++sample.documents;
  }
  const Ticker ticker(progress, {.stage = "tokenizer", .total_bytes = sample.text_bytes});
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  return {Tokenizer::sentencepiece(train_sentencepiece(request.kind, request.n_vocab, views),
                                   options.tokenizer),
          sample};
}

// `standard_input` stands for "-".
CorpusSources find_all_sources(const BuildOptions& options, const fs::path& standard_input) {
  const auto find = [&](std::vector<std::string> names) {
    std::replace(names.begin(), names.end(), std::string(kStandardInput), standard_input.string());
    return find_sources(names, options.corpus.sources);
  };
  CorpusSources sources;
  if (options.sources.empty()) throw ConfigError("no source: name files, folders or patterns");
  sources.train = find(options.sources);
  for (const auto& [split, given] : options.given_sources) sources.given[split] = find(given);
  return sources;
}

bool reads_standard_input(const BuildOptions& options) {
  auto times = std::count(options.sources.begin(), options.sources.end(), kStandardInput);
  for (const auto& [split, given] : options.given_sources) {
    times += std::count(given.begin(), given.end(), kStandardInput);
  }
  if (times > 1) throw ConfigError("- stands there twice: standard input can be read once");
  return times == 1;
}

int64_t stored_bytes(const CorpusSources& sources) {
  int64_t bytes = 0;
  for (const SourceFile& file : sources.train.files) bytes += file.bytes;
  for (const auto& [split, list] : sources.given) {
    for (const SourceFile& file : list.files) bytes += file.bytes;
  }
  return bytes;
}

struct EncodedCorpus {
  std::map<Split, TokenShardInfo> splits;
  int64_t unknown_tokens = 0;
};

EncodedCorpus encode_corpus(const Corpus& corpus, const Tokenizer& tokenizer,
                            const fs::path& folder, int threads, const Progress& progress) {
  int64_t total = 0, before = 0;
  for (const auto& [split, pieces] : corpus.splits) {
    for (const Piece& piece : pieces) total += piece.bytes;
  }
  DataSetInfo set;
  set.folder = folder;
  if (!tokenizer.model().empty()) write_atomically(tokenizer_file(set), tokenizer.model());
  TokenShardInfo shard;
  shard.n_vocab = tokenizer.n_vocab();
  shard.tokenizer_hash = tokenizer.hash();
  EncodedCorpus encoded;
  for (const auto& [split, pieces] : corpus.splits) {
    TokenShardWriter writer(shard_file(set, split), shard);
    const EncodedCounts counts = encode_split(
        corpus, split, tokenizer, threads,
        [&writer](std::span<const uint32_t> tokens) { writer.append(tokens); },
        [&, before](int64_t done) {
          progress({.stage = "encoding", .done_bytes = before + done, .total_bytes = total});
        });
    encoded.splits[split] = writer.finish(counts.documents, counts.text_bytes);
    encoded.unknown_tokens += counts.unknown_tokens;
    before += counts.text_bytes;
  }
  return encoded;
}

}  // namespace

Tokenizer open_tokenizer(const DataSetInfo& set) {
  if (set.knows_tokenizer_by_name()) {
    throw ConfigError(set.folder.string() + ": its tokenizer is known by name alone (" +
                      set.tokenizer + "): no text can be encoded or read with it");
  }
  Tokenizer tokenizer = Tokenizer::bytes();
  if (set.tokenizer != "bytes") {
    if (!fs::exists(tokenizer_file(set))) {
      throw ConfigError(tokenizer_file(set).string() + ": is not there: build the set again");
    }
    tokenizer = Tokenizer::sentencepiece(read_whole_file(tokenizer_file(set)), set.tokenizer);
  }
  if (tokenizer.hash() != set.tokenizer_hash || tokenizer.n_vocab() != set.n_vocab) {
    throw ConfigError(set.folder.string() + ": its tokenizer (" + tokenizer.hash() +
                      ") is not the one its tokens were made by (" + set.tokenizer_hash +
                      "): build the set again");
  }
  return tokenizer;
}

namespace {

// `workspace` is made when it is needed, if it is not there.
BuildResult build_from(const CorpusSources& sources, const BuildOptions& options,
                       TokenizerRequest request, std::optional<BuildWorkspace>& workspace,
                       const Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  const std::string hash = hash_hex(build_identity(
      options, sources, request.given ? request.given->hash() : "", [&](int64_t done) {
        progress({.stage = "hashing", .done_bytes = done, .total_bytes = stored_bytes(sources)});
      }));
  if (auto set = existing_set(options.data_root, options.name, options.replace, hash)) {
    return {.set = *std::move(set), .was_there = true};
  }

  if (!workspace) workspace.emplace(options.data_root, options.name);
  const Corpus corpus =
      gather_corpus(sources, options.corpus, workspace->folder(), [&](int64_t done) {
        progress({.stage = "reading", .done_bytes = done, .total_bytes = stored_bytes(sources)});
      });
  std::optional<TokenizerSample> sample;
  if (!request.given) {
    TrainedTokenizer trained = train_tokenizer(options, request, corpus, progress);
    request.given = std::move(trained.tokenizer);
    sample = trained.sample;
  }
  const Tokenizer& tokenizer = *request.given;
  const EncodedCorpus encoded =
      encode_corpus(corpus, tokenizer, workspace->draft(), options.threads, progress);
  const LineOverlap overlap = test_lines_in_train(corpus, [&](int64_t done, int64_t total) {
    progress({.stage = "comparing", .done_bytes = done, .total_bytes = total});
  });
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  write_atomically(workspace->draft() / kDataSetFile,
                   manifest_text({.options = options,
                                  .sources = sources,
                                  .counts = corpus.counts,
                                  .overlap = overlap,
                                  .tokenizer = tokenizer,
                                  .tokenizer_sample = sample,
                                  .build_hash = hash,
                                  .splits = encoded.splits,
                                  .unknown_tokens = encoded.unknown_tokens,
                                  .build_seconds = elapsed.count()}));
  workspace->publish(options.replace);
  return {.set = open_data_set(options.data_root, options.name), .was_there = false};
}

}  // namespace

BuildResult build_data_set(const BuildOptions& options, const Progress& progress) {
  check_place(options.data_root, options.name);
  TokenizerRequest request = parse_tokenizer(options);
  std::optional<BuildWorkspace> workspace;
  if (!reads_standard_input(options)) {
    return build_from(find_all_sources(options, {}), options, std::move(request), workspace,
                      progress);
  }
  workspace.emplace(options.data_root, options.name);
  const auto& suffixes = options.corpus.sources.text_suffixes;
  const fs::path input = put_standard_input_aside(
      workspace->folder(), suffixes.empty() ? ".txt" : suffixes.front(),
      [&](int64_t done) { progress({.stage = "receiving", .done_bytes = done}); });
  try {
    return build_from(find_all_sources(options, input), options, std::move(request), workspace,
                      progress);
  } catch (const ConfigError& error) {
    std::string message = error.what();
    if (const std::size_t at = message.find(input.string()); at != std::string::npos) {
      message.replace(at, input.string().size(), "standard input");
    }
    throw ConfigError(message);
  }
}

}  // namespace scalelaw
