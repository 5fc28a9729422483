// data_set.json: what trainer/data/data_set.h reads, and where all of it came from.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainer/data/builder.h"
#include "trainer/data/corpus.h"
#include "trainer/data/encode.h"
#include "trainer/data/tokenizer.h"
#include "trainer/data/tokenizer_request.h"

namespace scalelaw {

// What a build depends on: options that change its result, and the content of every source, whose
// hashes are there (hash_sources). The same text means the same data set.
std::string build_identity(const BuildOptions& options, const CorpusSources& sources,
                           const std::string& tokenizer_hash);

struct ManifestInput {
  const BuildOptions& options;
  const CorpusSources& sources;
  const CorpusCounts& counts;
  LineOverlap overlap;
  const Tokenizer& tokenizer;
  std::optional<TokenizerSample> tokenizer_sample;  // nullopt: it was given
  std::string build_hash;                           // of build_identity
  std::map<Split, TokenShardInfo> splits;
  std::vector<SourceUse> mixture;  // of options.sources; empty: no weights
  int64_t unknown_tokens = 0;
  double build_seconds = 0;
};
std::string manifest_text(const ManifestInput& input);

// "splits" of data_set.json.
nlohmann::ordered_json splits_json(const std::map<Split, TokenShardInfo>& splits);
// The text of a data_set.json: names of foreign files may hold bytes that JSON cannot.
std::string manifest_dump(const nlohmann::ordered_json& json);

// The whole of a set's data_set.json. ConfigError when it is not JSON.
nlohmann::json read_manifest(const DataSetInfo& set);
std::string build_hash(const DataSetInfo& set);

}  // namespace scalelaw
