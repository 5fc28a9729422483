// A data set made without text: tokens of a noisy cycle, which a small model learns in seconds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace scalelaw {

struct TinyDataSet {
  std::string name = "tiny";
  int64_t n_vocab = 17;
  int64_t train_tokens = 4096;
  int64_t test_tokens = 1024;
  std::string tokenizer_hash = std::string(32, 'a');
  int64_t val_tokens = 0;  // 0: no such split
};

// Writes ROOT/NAME with train and test splits, and a val split if asked for; every call with the
// same options writes the same.
void write_tiny_data_set(const std::filesystem::path& root, const TinyDataSet& options = {});

}  // namespace scalelaw
