// data_set.json of an imported set: what trainer/data/data_set.h reads, and where the ids came
// from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "trainer/data/import_set.h"
#include "trainer/data/tokenizer_identity.h"

namespace scalelaw {

// What an import depends on: options that change its result, and the ids of every source, wherever
// their files lie and however they are called. The same text means the same data set.
std::string import_identity(const ImportOptions& options, const ImportSources& sources,
                            const ImportPlan& plan, const TokenizerIdentity& tokenizer);

struct ImportManifestInput {
  const ImportOptions& options;
  const ImportSources& sources;
  const ImportPlan& plan;
  const TokenizerIdentity& tokenizer;
  std::map<Split, TokenShardInfo> splits;
  std::string build_hash;  // of import_identity
  double build_seconds = 0;
};
std::string import_manifest_text(const ImportManifestInput& input);

// The id that parts the documents of a set, as the import was told (--eod, --bod). nullopt: it was
// not, or the set was built here. ConfigError: data_set.json is damaged.
std::optional<uint32_t> document_mark(const DataSetInfo& set);

}  // namespace scalelaw
