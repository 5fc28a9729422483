// GPT-2 as Hugging Face's transformers has it (GPT2Config, GPT2LMHeadModel), and which shapes of
// ours compute the same: learned positions, norms and linear maps with biases, GELU in its tanh
// form, scores over sqrt(d_head), norms' eps 1e-5, the head tied or not.
//
// Its linear maps are Conv1D, [in, out] as ours, with query, key and value side by side as ours;
// only an untied head is [V, W] and ours [W, V].
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "models/model_shape.h"
#include "trainer/model_files.h"

namespace scalelaw {

struct Gpt2Tensor {
  std::string ours;            // "blocks.0.attention.qkv.weight"
  std::string theirs;          // "transformer.h.0.attn.c_attn.weight"
  std::vector<int64_t> shape;  // ours
  bool transposed = false;     // theirs has the two dimensions the other way round
};

// The keys, with values, that GPT-2 has no place for, and why; empty: the shape is GPT-2's.
std::vector<std::string> why_not_gpt2(const ModelShape& shape);

// Every parameter of a shape that is GPT-2's.
std::vector<Gpt2Tensor> gpt2_tensors(const ModelShape& shape);

// config.json. `marks` are its bos_token_id and eos_token_id.
nlohmann::ordered_json gpt2_config(const ModelShape& shape, const TextMarks& marks);

// The shape that a config.json tells of, initialised as GPT-2. ConfigError (file, key, value, rule)
// where this program's model would compute something else; dropout, which acts in training alone,
// and keys about use and not about arithmetic are not looked at.
ModelShape gpt2_shape(const std::filesystem::path& file);

// Which ids a config.json says stand before and behind a text, of a vocabulary of `n_vocab`; not
// known where it says null or what is no id. ConfigError: it is no JSON object.
TextMarks gpt2_marks(const std::filesystem::path& file, int64_t n_vocab);

}  // namespace scalelaw
