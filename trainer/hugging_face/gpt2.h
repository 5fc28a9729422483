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
#include <optional>
#include <string>
#include <vector>

#include "models/model_shape.h"

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

// config.json. `end_of_document`: the id between documents; nullopt: not known.
nlohmann::ordered_json gpt2_config(const ModelShape& shape, std::optional<int64_t> end_of_document);

// The shape that a config.json tells of, initialised as GPT-2. ConfigError (file, key, value, rule)
// where this program's model would compute something else; dropout, which acts in training alone,
// and keys about use and not about arithmetic are not looked at.
ModelShape gpt2_shape(const std::filesystem::path& file);

}  // namespace scalelaw
