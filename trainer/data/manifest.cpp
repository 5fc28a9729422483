#include "trainer/data/manifest.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/json_text.h"

namespace scalelaw {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

// Raised when the same options and sources give other tokens than before.
constexpr int kBuildRules = 1;

std::string split_by_name(SplitBy split_by) {
  switch (split_by) {
    case SplitBy::kDocument:
      return "document";
    case SplitBy::kFolder:
      return "folder";
    case SplitBy::kPiece:
      return "piece";
  }
  return "";
}

Json options_json(const BuildOptions& options) {
  const CorpusOptions& corpus = options.corpus;
  Json json = {{"tokenizer", options.tokenizer},
               {"tokenizer_sample_bytes", options.tokenizer_sample_bytes},
               {"jsonl_key", corpus.sources.jsonl_key},
               {"text_suffixes", corpus.sources.text_suffixes},
               {"exclude", corpus.sources.exclude},
               {"split_by", split_by_name(corpus.split_by)},
               {"val_share", corpus.validation_share},
               {"test_share", corpus.test_share},
               {"piece_bytes", corpus.piece_bytes},
               {"cap_per_file", corpus.cap_per_file},
               {"seed", corpus.seed}};
  // Only where they are given: builds without them keep their hash.
  if (!options.weights.empty()) {
    json["weights"] = options.weights;
    json["train_tokens"] = options.train_tokens;
  }
  if (options.max_memory_bytes > 0) json["max_memory_bytes"] = options.max_memory_bytes;
  return json;
}

// `apart`: it matters which source a file came from.
std::string source_identity(const std::string& role, const SourceList& list, bool apart) {
  std::string lines;
  for (const SourceFile& file : list.files) {
    const std::string of = apart ? " of " + std::to_string(file.source) : "";
    lines += role + of + " " + file.hash + " " + file.label + "\n";
  }
  return lines;
}

Json source_json(const std::string& role, const std::vector<std::string>& given,
                 const SourceList& list) {
  // Files of a large folder would make this file longer than the data: the first hundred.
  constexpr std::size_t kListed = 100;
  Json files = Json::array();
  int64_t bytes = 0;
  for (const SourceFile& file : list.files) {
    bytes += file.bytes;
    if (files.size() < kListed) files.push_back({{"file", file.label}, {"bytes", file.bytes}});
  }
  return {{"for", role},
          {"given", given},
          {"file_count", list.files.size()},
          {"bytes", bytes},
          {"first_files", files}};
}

Json sources_json(const BuildOptions& options, const CorpusSources& sources) {
  Json all = Json::array();
  all.push_back(source_json("train", options.sources, sources.train));
  for (const auto& [split, list] : sources.given) {
    all.push_back(source_json(std::string(name(split)), options.given_sources.at(split), list));
  }
  return all;
}

Json counts_json(const CorpusCounts& counts, int64_t unknown_tokens) {
  return {{"files", counts.files},
          {"source_bytes", counts.source_bytes},
          {"documents", counts.documents},
          {"kept_documents", counts.kept_documents},
          {"documents_cut", counts.documents_cut},
          {"longest_document_bytes", counts.longest_document_bytes},
          {"dropped",
           {{"empty_documents", counts.empty_documents},
            {"duplicate_documents", counts.duplicate_documents},
            {"held_out_documents", counts.held_out_documents},
            {"over_cap_documents", counts.over_cap_documents},
            {"duplicate_pieces", counts.duplicate_pieces},
            {"bytes_over_cap", counts.bytes_over_cap},
            {"files_of_other_kinds", counts.other_files},
            {"excluded_files", counts.excluded_files}}},
          {"unknown_tokens", unknown_tokens}};
}

Json count_or_null(int64_t count) {
  return count > 0 ? Json(count) : Json();
}

}  // namespace

Json splits_json(const std::map<Split, TokenShardInfo>& splits) {
  Json all;
  for (const auto& [split, info] : splits) {
    all[std::string(name(split))] = {{"tokens", info.n_tokens},
                                     {"documents", count_or_null(info.n_documents)},
                                     {"text_bytes", count_or_null(info.text_bytes)},
                                     {"token_hash", info.token_hash}};
  }
  return all;
}

Json sample_json(const TokenizerSample& sample) {
  Json json = {{"documents", sample.documents}, {"text_bytes", sample.text_bytes}};
  if (sample.max_memory_bytes > 0) {
    json["max_memory_bytes"] = sample.max_memory_bytes;
    json["peak_memory_bytes"] = sample.peak_memory_bytes;
    json["cut_to_fit"] = sample.cut;
  }
  return json;
}

Json mixture_json(const BuildOptions& options, const std::vector<SourceUse>& mixture) {
  Json all = Json::array();
  for (std::size_t i = 0; i < mixture.size(); ++i) {
    const SourceUse& use = mixture[i];
    all.push_back(
        {{"source", options.sources[i]},
         {"weight", options.weights[i]},
         {"share", use.share},
         {"tokens", use.tokens},
         {"text_bytes", use.text_bytes},
         {"source_text_bytes", use.once_bytes},
         {"epochs", static_cast<double>(use.text_bytes) / static_cast<double>(use.once_bytes)}});
  }
  return all;
}

// Names and text of foreign files may hold bytes that JSON cannot.
std::string manifest_dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string build_identity(const BuildOptions& options, const CorpusSources& sources,
                           const std::string& tokenizer_hash) {
  const bool apart = !options.weights.empty();
  std::string text = "rules " + std::to_string(kBuildRules) + "\n" +
                     manifest_dump(options_json(options)) + "tokenizer " + tokenizer_hash + "\n";
  text += source_identity("train", sources.train, apart);
  for (const auto& [split, list] : sources.given) {
    text += source_identity(std::string(name(split)), list, apart);
  }
  return text;
}

std::string manifest_text(const ManifestInput& input) {
  Json sample;
  if (input.tokenizer_sample) sample = sample_json(*input.tokenizer_sample);
  Json json = {
      {"version", kDataSetVersion},
      {"name", input.options.name},
      {"tokenizer", input.tokenizer.name()},
      {"tokenizer_hash", input.tokenizer.hash()},
      {"n_vocab", input.tokenizer.n_vocab()},
      {"tokenizer_sample", sample},
      {"splits", splits_json(input.splits)},
      {"counts", counts_json(input.counts, input.unknown_tokens)},
      {"long_test_lines", {{"count", input.overlap.lines}, {"in_train", input.overlap.in_train}}},
      {"options", options_json(input.options)},
      {"sources", sources_json(input.options, input.sources)},
      {"build_hash", input.build_hash},
      {"command_line", input.options.command_line},
      {"built_at", utc_now()},
      {"build_seconds", std::round(input.build_seconds * 100) / 100}};
  if (!input.mixture.empty()) json["mixture"] = mixture_json(input.options, input.mixture);
  json["file_hash"] = std::string(32, '0');
  return with_data_set_file_hash(manifest_dump(json));
}

nlohmann::json read_manifest(const DataSetInfo& set) {
  const fs::path file = set.folder / kDataSetFile;
  const std::string text = read_whole_file(file);
  try {
    return parse_json_object(text);
  } catch (const std::runtime_error& error) {
    throw ConfigError(file.string() + ": is damaged: " + error.what());
  }
}

std::string build_hash(const DataSetInfo& set) {
  const nlohmann::json json = read_manifest(set);
  const auto it = json.find("build_hash");
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace scalelaw
