#include "tests/support/tiny_data_set.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "trainer/data/data_set.h"
#include "trainer/data/token_shard_writer.h"

namespace scalelaw {
namespace {

// Next token: the one after it in the cycle, or, one time in five, any.
std::vector<uint32_t> noisy_cycle(int64_t count, int64_t n_vocab, uint32_t seed) {
  std::mt19937 random(seed);
  const auto size = static_cast<uint32_t>(n_vocab);
  std::vector<uint32_t> tokens;
  uint32_t token = 0;
  for (int64_t i = 0; i < count; ++i) {
    token = random() % 5 == 0 ? static_cast<uint32_t>(random() % size) : (token + 1) % size;
    tokens.push_back(token);
  }
  return tokens;
}

}  // namespace

void write_tiny_data_set(const std::filesystem::path& root, const TinyDataSet& options) {
  const std::string& tokenizer_hash = options.tokenizer_hash;
  DataSetInfo set;
  set.folder = root / options.name;
  std::filesystem::create_directories(set.folder);
  nlohmann::json splits;
  uint32_t seed = 1;
  for (const auto& [split, count] : {std::pair{Split::kTrain, options.train_tokens},
                                     {Split::kTest, options.test_tokens},
                                     {Split::kValidation, options.val_tokens}}) {
    if (count == 0) continue;
    TokenShardInfo info;
    info.n_vocab = options.n_vocab;
    info.n_documents = 1;
    info.text_bytes = 2 * count;
    info.tokenizer_hash = tokenizer_hash;
    write_token_shard(shard_file(set, split), noisy_cycle(count, options.n_vocab, seed++), info);
    info = TokenShard::read_info(shard_file(set, split));
    splits[std::string(name(split))] = {{"tokens", info.n_tokens},
                                        {"documents", info.n_documents},
                                        {"text_bytes", info.text_bytes},
                                        {"token_hash", info.token_hash}};
  }
  std::ofstream(set.folder / kDataSetFile) << nlohmann::json{{"version", 1},
                                                             {"name", options.name},
                                                             {"tokenizer", "bytes"},
                                                             {"tokenizer_hash", tokenizer_hash},
                                                             {"n_vocab", options.n_vocab},
                                                             {"splits", splits}};
}

}  // namespace scalelaw
