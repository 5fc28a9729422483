#include "trainer/data/builder.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/build_workspace.h"
#include "trainer/data/encode.h"
#include "trainer/data/manifest.h"
#include "trainer/data/mixture.h"
#include "trainer/data/standard_input.h"
#include "trainer/data/token_shard_writer.h"
#include "trainer/data/tokenizer.h"
#include "trainer/data/tokenizer_request.h"
#include "trainer/hash.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

using Progress = std::function<void(const BuildProgress&)>;

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

void hash_all(CorpusSources& sources, const Progress& progress) {
  int64_t done_bytes = 0;
  const int64_t total_bytes = stored_bytes(sources);
  const auto tell = [&](int64_t done) {
    progress({.stage = "hashing", .done_bytes = done, .total_bytes = total_bytes});
  };
  hash_sources(sources.train, done_bytes, tell);
  for (auto& [split, list] : sources.given) hash_sources(list, done_bytes, tell);
}

struct EncodedCorpus {
  std::map<Split, TokenShardInfo> splits;
  std::vector<SourceUse> mixture;
  int64_t unknown_tokens = 0;
};

// Encodes all of it, or of train what the mixture takes.
EncodedCorpus encode_corpus(const Corpus& corpus, const BuildOptions& options,
                            const Tokenizer& tokenizer, const fs::path& folder,
                            const Progress& progress) {
  const bool mixed = !options.weights.empty();
  int64_t total = 0, before = 0;
  for (const auto& [split, pieces] : corpus.splits) {
    if (mixed && split == Split::kTrain) continue;
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
    const auto sink = [&writer](std::span<const uint32_t> tokens) { writer.append(tokens); };
    EncodedCounts counts;
    if (mixed && split == Split::kTrain) {
      MixtureCounts mixture = encode_mixture(
          corpus, pieces_of_sources(pieces, options.sources), options.weights, options.train_tokens,
          tokenizer, options.threads, sink, [&](int64_t done, int64_t of) {
            progress({.stage = "mixing", .done_bytes = done, .total_bytes = of});
          });
      counts = mixture.all;
      encoded.mixture = std::move(mixture.sources);
    } else {
      counts =
          encode_split(corpus, split, tokenizer, options.threads, sink, [&, before](int64_t done) {
            progress({.stage = "encoding", .done_bytes = before + done, .total_bytes = total});
          });
      before += counts.text_bytes;
    }
    encoded.splits[split] = writer.finish(counts.documents, counts.text_bytes);
    encoded.unknown_tokens += counts.unknown_tokens;
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
BuildResult build_from(CorpusSources sources, const BuildOptions& options, TokenizerRequest request,
                       std::optional<BuildWorkspace>& workspace, const Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  hash_all(sources, progress);
  const std::string hash =
      hash_hex(build_identity(options, sources, request.given ? request.given->hash() : ""));
  if (auto set = existing_set(options.data_root, options.name, options.replace, hash)) {
    return {.set = *std::move(set), .was_there = true};
  }

  if (!workspace) workspace.emplace(options.data_root, options.name);
  CorpusOptions corpus_options = options.corpus;
  corpus_options.sources_apart = !options.weights.empty();
  const Corpus corpus =
      gather_corpus(sources, corpus_options, workspace->folder(), [&](int64_t done) {
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
      encode_corpus(corpus, options, tokenizer, workspace->draft(), progress);
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
                                  .mixture = encoded.mixture,
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
