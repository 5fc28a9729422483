#include "trainer/data/import_manifest.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/data/manifest.h"
#include "trainer/hash.h"

namespace scalelaw {

using Json = nlohmann::ordered_json;

namespace {

// Raised when the same options and ids give another set than before.
constexpr int kImportRules = 1;

Json options_json(const ImportOptions& options) {
  Json bytes = Json::object();
  for (const auto& [split, count] : options.text_bytes) bytes[std::string(name(split))] = count;
  Json mark;
  if (options.mark) {
    mark = {{"id", options.mark->id}, {"stands", options.mark->begins ? "before" : "behind"}};
  }
  return {{"val_share", options.shares.validation},
          {"test_share", options.shares.test},
          {"document_mark", mark},
          {"text_bytes", bytes}};
}

// train first, then val and test.
void for_each_role(const ImportSources& sources,
                   const std::function<void(const std::string&, const TokenSources&)>& action) {
  action("train", sources.train);
  for (const auto& [split, files] : sources.given) action(std::string(name(split)), files);
}

Json sources_json(const ImportSources& sources, const ImportPlan& plan) {
  Json all = Json::array();
  std::size_t at = 0;
  for_each_role(sources, [&](const std::string& role, const TokenSources& files) {
    for (const TokenLayout& file : files) {
      all.push_back({{"for", role},
                     {"file", file.file.filename().string()},
                     {"format", file.format},
                     {"type", std::string(name(file.type))},
                     {"tokens", file.n_tokens},
                     {"hash", plan.file_hashes[at++]}});
    }
  });
  return all;
}

std::string text_bytes_from(const ImportManifestInput& input) {
  if (input.tokenizer.tokenizer) return "decoded";
  return input.options.text_bytes.empty() ? "not known" : "given";
}

std::string ends_hash(const TokenLayout& file) {
  Hasher hasher;
  hasher.add(std::as_bytes(std::span(file.document_ends)));
  return hasher.hex();
}

// null: none was cut off.
Json shares_by(const ImportPlan& plan) {
  const bool shared = std::any_of(plan.train.begin(), plan.train.end(), [](const auto& range) {
    return range.split && range.split != Split::kTrain;
  });
  if (!shared) return {};
  return plan.by_documents ? "documents" : "blocks";
}

int64_t sum(const std::map<Split, int64_t>& counts) {
  int64_t total = 0;
  for (const auto& [split, count] : counts) total += count;
  return total;
}

}  // namespace

std::string import_identity(const ImportOptions& options, const ImportSources& sources,
                            const ImportPlan& plan, const TokenizerIdentity& tokenizer) {
  std::string text = "import rules " + std::to_string(kImportRules) + "\n" +
                     manifest_dump(options_json(options)) + "tokenizer " + tokenizer.hash + "\n";
  std::size_t at = 0;
  for_each_role(sources, [&](const std::string& role, const TokenSources& files) {
    for (const TokenLayout& file : files) {
      text += role + " " + std::string(name(file.type)) + " " + plan.file_hashes[at++] + " " +
              ends_hash(file) + "\n";
    }
  });
  return text;
}

std::string import_manifest_text(const ImportManifestInput& input) {
  const ImportPlan& plan = input.plan;
  Json longest;
  if (plan.longest_document_tokens > 0) longest = plan.longest_document_tokens;
  const bool all_known = plan.documents.size() == plan.tokens.size();
  const Json json = {
      {"version", kDataSetVersion},
      {"name", input.options.name},
      {"tokenizer", input.tokenizer.name},
      {"tokenizer_hash", input.tokenizer.hash},
      {"n_vocab", input.tokenizer.n_vocab},
      {"splits", splits_json(input.splits)},
      {"imported",
       {{"order", "as given"},
        {"shares_by", shares_by(plan)},
        {"longest_document_tokens", longest},
        {"text_bytes", text_bytes_from(input)}}},
      {"counts",
       {{"files", plan.file_hashes.size()},
        {"tokens", sum(plan.tokens) + plan.held_out_tokens},
        {"documents", all_known ? Json(sum(plan.documents) + plan.held_out_documents) : Json()},
        {"dropped",
         {{"held_out_documents", plan.held_out_documents},
          {"held_out_tokens", plan.held_out_tokens}}}}},
      {"options", options_json(input.options)},
      {"sources", sources_json(input.sources, plan)},
      {"build_hash", input.build_hash},
      {"command_line", input.options.command_line},
      {"built_at", utc_now()},
      {"build_seconds", std::round(input.build_seconds * 100) / 100},
      {"file_hash", std::string(32, '0')}};
  return with_data_set_file_hash(manifest_dump(json));
}

std::optional<uint32_t> document_mark(const DataSetInfo& set) {
  const nlohmann::json manifest = read_manifest(set);
  const nlohmann::json::json_pointer place("/options/document_mark/id");
  if (!manifest.contains(place)) return std::nullopt;
  const nlohmann::json& id = manifest.at(place);
  if (!id.is_number_unsigned() || id.get<uint64_t>() >= static_cast<uint64_t>(set.n_vocab)) {
    throw ConfigError((set.folder / kDataSetFile).string() +
                      ": is damaged: options.document_mark.id is no id of the vocabulary");
  }
  return id.get<uint32_t>();
}

}  // namespace scalelaw
