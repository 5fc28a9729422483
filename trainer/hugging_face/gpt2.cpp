#include "trainer/hugging_face/gpt2.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/json_text.h"

namespace scalelaw {
namespace {

constexpr double kNormEpsilon = 1e-5;  // of models/layers/residual_norm.h
constexpr int64_t kGpt2End = 50256;    // what transformers takes where nothing is said

// What is left out of a config.json takes the value that transformers gives it.
class Gpt2Config {
 public:
  explicit Gpt2Config(const std::filesystem::path& file) : file_(file) {
    const std::string text = read_whole_file(file);
    try {
      json_ = parse_json_object(text);
    } catch (const std::runtime_error& error) {
      throw ConfigError(file.string() + ": " + error.what());
    }
  }

  [[noreturn]] void refuse(const char* key, const std::string& rule) const {
    const auto found = json_.find(key);
    const std::string value = found == json_.end() ? "(not there)" : shown(*found);
    throw ConfigError(file_.string() + ": " + key + " = " + value + ": " + rule);
  }
  bool is_null(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() || found->is_null();
  }
  int64_t whole(const char* key, int64_t missing) const {
    if (!json_.contains(key)) return missing;
    const auto& value = json_.at(key);
    if (!value.is_number_unsigned() || value.get<uint64_t>() > INT32_MAX) {
      refuse(key, "must be a whole number below 2^31");
    }
    return value.get<int64_t>();
  }
  // Under a key of GPT-2 or under the name that transformers reads for it, too (attribute_map).
  int64_t whole(const char* key, const char* alias, int64_t missing) const {
    if (!json_.contains(alias)) return whole(key, missing);
    const int64_t value = whole(alias, missing);
    if (json_.contains(key) && whole(key, missing) != value) {
      refuse(alias, std::string("is another name of ") + key + ", which is " +
                        shown(json_.at(key)) + "; leave out the wrong one");
    }
    return value;
  }
  std::optional<int64_t> id(const char* key, int64_t n_vocab) const {
    const auto found = json_.find(key);
    if (found == json_.end()) return kGpt2End < n_vocab ? std::optional(kGpt2End) : std::nullopt;
    const bool is_id =
        found->is_number_unsigned() && std::cmp_less(found->get<uint64_t>(), n_vocab);
    return is_id ? std::optional(found->get<int64_t>()) : std::nullopt;
  }
  std::string text(const char* key, const char* missing) const {
    if (!json_.contains(key)) return missing;
    if (!json_.at(key).is_string()) refuse(key, "must be a text");
    return json_.at(key).get<std::string>();
  }
  bool truth(const char* key, bool missing) const {
    if (!json_.contains(key)) return missing;
    if (!json_.at(key).is_boolean()) refuse(key, "must be true or false");
    return json_.at(key).get<bool>();
  }
  double number(const char* key, double missing) const {
    if (!json_.contains(key)) return missing;
    if (!json_.at(key).is_number()) refuse(key, "must be a number");
    return json_.at(key).get<double>();
  }

 private:
  std::filesystem::path file_;
  nlohmann::json json_;
};

void require_same_arithmetic(const Gpt2Config& config) {
  if (config.text("model_type", "") != "gpt2") {
    config.refuse("model_type", "must be gpt2, the one kind of model that is imported");
  }
  const std::string activation = config.text("activation_function", "gelu_new");
  if (activation != "gelu_new" && activation != "gelu_pytorch_tanh") {
    config.refuse("activation_function",
                  "must be gelu_new or gelu_pytorch_tanh: GELU is computed in its tanh form");
  }
  if (config.number("layer_norm_epsilon", kNormEpsilon) != kNormEpsilon) {
    config.refuse("layer_norm_epsilon", "must be 1e-05, which the norms add here");
  }
  if (!config.truth("scale_attn_weights", true)) {
    config.refuse("scale_attn_weights", "must be true: scores are divided by sqrt(d_head)");
  }
  for (const char* key : {"scale_attn_by_inverse_layer_idx", "add_cross_attention"}) {
    if (config.truth(key, false))
      config.refuse(key, "must be false: there is nothing like it here");
  }
  if (!config.is_null("quantization_config")) {
    config.refuse("quantization_config", "must not be there: only plain weights are read");
  }
}

std::string spelled(bool truth) {
  return truth ? "true" : "false";
}

}  // namespace

std::vector<std::string> why_not_gpt2(const ModelShape& shape) {
  if (shape.arch != "transformer") return {"model.arch = " + shape.arch + " (a transformer)"};
  std::vector<std::string> reasons;
  if (shape.position != PositionEncoding::kLearned) {
    reasons.emplace_back("model.position = rotary (learned)");
  }
  if (!shape.bias) reasons.emplace_back("model.bias = " + spelled(false) + " (true)");
  return reasons;
}

std::vector<Gpt2Tensor> gpt2_tensors(const ModelShape& shape) {
  const int64_t width = shape.d_model, d_ff = shape.d_ff();
  std::vector<Gpt2Tensor> tensors;
  const auto add = [&](const std::string& ours, const std::string& theirs,
                       std::vector<int64_t> size) {
    tensors.push_back({ours, "transformer." + theirs, std::move(size)});
  };
  const auto add_norm = [&](const std::string& ours, const std::string& theirs) {
    add(ours + ".gain", theirs + ".weight", {width});
    add(ours + ".bias", theirs + ".bias", {width});
  };
  const auto add_map = [&](const std::string& ours, const std::string& theirs, int64_t in,
                           int64_t out) {
    add(ours + ".weight", theirs + ".weight", {in, out});
    add(ours + ".bias", theirs + ".bias", {out});
  };
  add("embedding.weight", "wte.weight", {shape.n_vocab, width});
  add("position.weight", "wpe.weight", {shape.n_ctx, width});
  for (int64_t i = 0; i < shape.n_layer; ++i) {
    const std::string ours = "blocks." + std::to_string(i) + ".";
    const std::string theirs = "h." + std::to_string(i) + ".";
    add_norm(ours + "norm_1", theirs + "ln_1");
    add_map(ours + "attention.qkv", theirs + "attn.c_attn", width, 3 * width);
    add_map(ours + "attention.out", theirs + "attn.c_proj", width, width);
    add_norm(ours + "norm_2", theirs + "ln_2");
    add_map(ours + "mlp.up", theirs + "mlp.c_fc", width, d_ff);
    add_map(ours + "mlp.down", theirs + "mlp.c_proj", d_ff, width);
  }
  add_norm("final_norm", "ln_f");
  if (shape.embeddings == EmbeddingTying::kUntied) {
    tensors.push_back({"head.weight", "lm_head.weight", {width, shape.n_vocab}, true});
  }
  return tensors;
}

nlohmann::ordered_json gpt2_config(const ModelShape& shape, const TextMarks& marks) {
  nlohmann::ordered_json config = {{"model_type", "gpt2"},
                                   {"architectures", {"GPT2LMHeadModel"}},
                                   {"vocab_size", shape.n_vocab},
                                   {"n_positions", shape.n_ctx},
                                   {"n_embd", shape.d_model},
                                   {"n_layer", shape.n_layer},
                                   {"n_head", shape.n_head},
                                   {"n_inner", shape.d_ff()},
                                   {"activation_function", "gelu_new"},
                                   {"layer_norm_epsilon", kNormEpsilon},
                                   {"scale_attn_weights", true},
                                   {"scale_attn_by_inverse_layer_idx", false},
                                   {"add_cross_attention", false},
                                   {"embd_pdrop", 0.0},
                                   {"attn_pdrop", 0.0},
                                   {"resid_pdrop", 0.0},
                                   {"torch_dtype", "float32"}};
  config["tie_word_embeddings"] = shape.embeddings == EmbeddingTying::kTied;
  // GPT-2's own 50256 stands before a text and after it; left out, transformers would take that.
  for (const auto& [key, id] :
       {std::pair{"bos_token_id", marks.before}, {"eos_token_id", marks.behind}}) {
    config[key] = id ? nlohmann::ordered_json(*id) : nullptr;
  }
  return config;
}

TextMarks gpt2_marks(const std::filesystem::path& file, int64_t n_vocab) {
  const Gpt2Config config(file);
  return {config.id("bos_token_id", n_vocab), config.id("eos_token_id", n_vocab)};
}

ModelShape gpt2_shape(const std::filesystem::path& file) {
  const Gpt2Config config(file);
  require_same_arithmetic(config);
  ModelShape shape;
  shape.n_layer = config.whole("n_layer", "num_hidden_layers", 12);
  shape.d_model = config.whole("n_embd", "hidden_size", 768);
  shape.n_head = config.whole("n_head", "num_attention_heads", 12);
  shape.n_ctx = config.whole("n_positions", "max_position_embeddings", 1024);
  shape.n_vocab = config.whole("vocab_size", 50257);
  if (!config.is_null("n_inner")) {
    if (shape.d_model < 1) {
      throw ConfigError(file.string() + ": n_embd or hidden_size must be at least 1");
    }
    shape.d_ff_ratio =
        static_cast<double>(config.whole("n_inner", 0)) / static_cast<double>(shape.d_model);
  }
  shape.position = PositionEncoding::kLearned;
  shape.embeddings =
      config.truth("tie_word_embeddings", true) ? EmbeddingTying::kTied : EmbeddingTying::kUntied;
  shape.init = InitScheme::kGpt2;
  shape.embedding_std = 0.02;
  if (shape.n_vocab < 1) config.refuse("vocab_size", "must be at least 1");
  for (const ShapeProblem& problem : validate(shape)) {
    throw ConfigError(file.string() + ": as " + problem.key + ", " + problem.rule);
  }
  return canonical(shape);
}

}  // namespace scalelaw
