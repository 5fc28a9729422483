#include "trainer/data/import_set.h"

#include <glob.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/build_workspace.h"
#include "trainer/data/foreign/find_layout.h"
#include "trainer/data/foreign/id_reader.h"
#include "trainer/data/import_manifest.h"
#include "trainer/data/text_meter.h"
#include "trainer/data/token_shard_writer.h"
#include "trainer/hash.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

using Progress = std::function<void(const BuildProgress&)>;

// Files of a source in the order of their names; a pattern is one where no file is called so.
std::vector<fs::path> expand(const std::string& source) {
  glob_t matches{};
  std::error_code ignored;
  if (fs::exists(source, ignored) || ::glob(source.c_str(), 0, nullptr, &matches) != 0) {
    return {source};
  }
  const std::unique_ptr<glob_t, decltype(&::globfree)> owner(&matches, &::globfree);
  return {matches.gl_pathv, matches.gl_pathv + matches.gl_pathc};
}

TokenSources find_files(const std::vector<std::string>& sources, std::optional<IdType> raw) {
  std::vector<fs::path> paths;
  for (const std::string& source : sources) {
    const auto files = expand(source);
    paths.insert(paths.end(), files.begin(), files.end());
  }
  TokenSources layouts;
  for (const fs::path& path : paths) {
    // A pattern matches both files of a Megatron pair.
    const fs::path index = fs::path(path).replace_extension(".idx");
    if (path.extension() == ".bin" && std::find(paths.begin(), paths.end(), index) != paths.end()) {
      continue;
    }
    layouts.push_back(find_layout(path, raw));
  }
  return layouts;
}

ImportSources find_all(const ImportOptions& options) {
  if (options.sources.empty()) throw ConfigError("no source: name files or patterns");
  ImportSources sources;
  sources.train = find_files(options.sources, options.raw_type);
  for (const auto& [split, given] : options.given_sources) {
    sources.given[split] = find_files(given, options.raw_type);
  }
  return sources;
}

int64_t stored_bytes(const ImportSources& sources) {
  int64_t bytes = 0;
  const auto add = [&](const TokenSources& files) {
    for (const TokenLayout& file : files) bytes += file.n_tokens * bytes_of(file.type);
  };
  add(sources.train);
  for (const auto& [split, files] : sources.given) add(files);
  return bytes;
}

// One split in the making.
class SplitWriter {
 public:
  SplitWriter(const fs::path& file, const TokenizerIdentity& tokenizer)
      : writer_(file, shard_of(tokenizer)) {
    if (tokenizer.tokenizer) meter_.emplace(*tokenizer.tokenizer);
  }

  void append(std::span<const uint32_t> ids) {
    writer_.append(ids);
    if (meter_) meter_->add(ids);
  }
  // 0 of either: not known.
  TokenShardInfo finish(int64_t documents, int64_t given_text_bytes) {
    const int64_t decoded = meter_ ? meter_->finish().value_or(0) : 0;
    return writer_.finish(documents, given_text_bytes > 0 ? given_text_bytes : decoded);
  }

 private:
  static TokenShardInfo shard_of(const TokenizerIdentity& tokenizer) {
    TokenShardInfo shard;
    shard.n_vocab = tokenizer.n_vocab;
    shard.tokenizer_hash = tokenizer.hash;
    return shard;
  }

  TokenShardWriter writer_;
  std::optional<TextMeter> meter_;
};

template <typename Value>
Value value_or_zero(const std::map<Split, Value>& values, Split split) {
  const auto found = values.find(split);
  return found == values.end() ? Value{} : found->second;
}

class Importer {
 public:
  Importer(const ImportOptions& options, const ImportSources& sources, const ImportPlan& plan,
           const TokenizerIdentity& tokenizer, const Progress& progress)
      : options_(options),
        sources_(sources),
        plan_(plan),
        tokenizer_(tokenizer),
        progress_(progress) {}

  std::map<Split, TokenShardInfo> write(const fs::path& folder) {
    DataSetInfo set;
    set.folder = folder;
    if (const auto& tokenizer = tokenizer_.tokenizer; tokenizer && !tokenizer->model().empty()) {
      write_atomically(tokenizer_file(set), tokenizer->model());
    }
    std::map<Split, SplitWriter> writers;
    for (const auto& [split, tokens] : plan_.tokens) {
      writers.try_emplace(split, shard_file(set, split), tokenizer_);
    }
    write_train(writers);
    for (const auto& [split, files] : sources_.given) {
      SplitWriter& writer = writers.at(split);
      for (const TokenLayout& file : files) {
        copy(file, [&](std::span<const uint32_t> ids) { writer.append(ids); });
      }
    }
    std::map<Split, TokenShardInfo> shards;
    for (auto& [split, writer] : writers) {
      shards[split] = writer.finish(value_or_zero(plan_.documents, split),
                                    value_or_zero(options_.text_bytes, split));
    }
    return shards;
  }

 private:
  void write_train(std::map<Split, SplitWriter>& writers) {
    auto range = plan_.train.begin();
    int64_t left = range->tokens;
    const auto take = [&](std::span<const uint32_t> ids) {
      while (!ids.empty()) {
        if (left == 0) left = (++range)->tokens;
        const std::size_t count = std::min(ids.size(), static_cast<std::size_t>(left));
        if (range->split) writers.at(*range->split).append(ids.first(count));
        left -= static_cast<int64_t>(count);
        ids = ids.subspan(count);
      }
    };
    for (const TokenLayout& file : sources_.train) copy(file, take);
  }

  // Files come in the order in which the plan read them.
  void copy(const TokenLayout& file, const std::function<void(std::span<const uint32_t>)>& sink) {
    const std::string hash = read_ids(file, tokenizer_.n_vocab, [&](std::span<const uint32_t> ids) {
      sink(ids);
      done_bytes_ += static_cast<int64_t>(ids.size()) * bytes_of(file.type);
      progress_(
          {.stage = "writing", .done_bytes = done_bytes_, .total_bytes = stored_bytes(sources_)});
    });
    if (hash != plan_.file_hashes[next_file_++]) {
      fail_foreign(file.file, "changed while it was being read; run the command again");
    }
  }

  const ImportOptions& options_;
  const ImportSources& sources_;
  const ImportPlan& plan_;
  const TokenizerIdentity& tokenizer_;
  const Progress& progress_;
  int64_t done_bytes_ = 0;
  std::size_t next_file_ = 0;
};

void check_mark(const std::optional<DocumentMark>& mark, int64_t n_vocab) {
  if (!mark || int64_t{mark->id} < n_vocab) return;
  throw ConfigError(std::string(mark->begins ? "--bod " : "--eod ") + std::to_string(mark->id) +
                    ": the vocabulary's ids are 0 to " + std::to_string(n_vocab - 1));
}

// Tokens of train's sources that went elsewhere.
int64_t lost_to_train(const ImportPlan& plan) {
  int64_t lost = 0;
  for (const TokenRange& range : plan.train) {
    if (range.split != Split::kTrain) lost += range.tokens;
  }
  return lost;
}

void check_text_bytes(const ImportOptions& options, const ImportPlan& plan,
                      const TokenizerIdentity& tokenizer) {
  for (const auto& [split, bytes] : options.text_bytes) {
    if (plan.tokens.contains(split)) continue;
    throw ConfigError("--bytes " + std::string(name(split)) + "=" + std::to_string(bytes) +
                      ": the set has no such split");
  }
  if (tokenizer.tokenizer && !options.text_bytes.empty()) {
    throw ConfigError("--bytes: text bytes are counted with --tokenizer " + options.tokenizer +
                      "; leave one of them out");
  }
  const auto of_train = options.text_bytes.find(Split::kTrain);
  if (const int64_t lost = lost_to_train(plan); of_train != options.text_bytes.end() && lost > 0) {
    throw ConfigError("--bytes train=" + std::to_string(of_train->second) + ": " +
                      std::to_string(lost) +
                      " tokens of its sources are not train's, they were shared off or are held "
                      "out, so whose bytes these are is not clear; leave it out, or give val and "
                      "test as files (or 0) that share no document with train");
  }
}

}  // namespace

BuildResult import_tokens(const ImportOptions& options, const Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  check_place(options.data_root, options.name);
  const TokenizerIdentity tokenizer = identify_tokenizer(
      options.data_root,
      options.tokenizer.empty() ? std::string(kNamedTokenizer) + options.name : options.tokenizer,
      options.n_vocab);
  check_mark(options.mark, tokenizer.n_vocab);
  const ImportSources sources = find_all(options);
  const ImportPlan plan =
      plan_import(sources, tokenizer.n_vocab, options.mark, options.shares, [&](int64_t done) {
        progress({.stage = "checking", .done_bytes = done, .total_bytes = stored_bytes(sources)});
      });
  check_text_bytes(options, plan, tokenizer);
  const std::string hash = hash_hex(import_identity(options, sources, plan, tokenizer));
  if (auto set = existing_set(options.data_root, options.name, options.replace, hash)) {
    return {.set = *std::move(set), .was_there = true};
  }

  BuildWorkspace workspace(options.data_root, options.name);
  const auto shards =
      Importer(options, sources, plan, tokenizer, progress).write(workspace.draft());
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  write_atomically(workspace.draft() / kDataSetFile,
                   import_manifest_text({.options = options,
                                         .sources = sources,
                                         .plan = plan,
                                         .tokenizer = tokenizer,
                                         .splits = shards,
                                         .build_hash = hash,
                                         .build_seconds = elapsed.count()}));
  workspace.publish(options.replace);
  return {.set = open_data_set(options.data_root, options.name), .was_there = false};
}

}  // namespace scalelaw
