// The shape of a model, and what follows from it by arithmetic alone: validity, parameters, FLOPs.
// No LibTorch here, so that planning and analysis count exactly what training trains.
//
// Symbols: L n_layer, W d_model, F d_ff, H n_head, T n_ctx, V n_vocab.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

enum class PositionEncoding { kRotary, kLearned };
enum class EmbeddingTying { kTied, kUntied };
enum class InitScheme {
  kFanIn,  // matrices N(0, 1/fan_in), residual outputs 0; suits d_model below about 256
  kGpt2,  // matrices N(0, 0.02), residual outputs N(0, 0.02 / sqrt(2 n_layer)); Radford et al. 2019
};

// Everything an architecture may read. The key of each field in a configuration is "model." + name.
struct ModelShape {
  std::string arch = "transformer";  // a name in models/architectures.def
  int64_t n_layer = 2;               // >= 0; 0 is embedding, final norm and head only
  int64_t d_model = 128;             // width of the residual stream, >= 1
  double d_ff_ratio = 4.0;           // d_ff / d_model; their product must be a whole number
  int64_t n_head = 4;                // divides d_model
  int64_t n_ctx = 128;               // tokens a window, >= 1
  int64_t n_vocab = 0;               // from the tokenizer, never from a configuration
  PositionEncoding position = PositionEncoding::kRotary;
  EmbeddingTying embeddings = EmbeddingTying::kTied;
  bool bias = true;  // biases of linear maps and norms
  InitScheme init = InitScheme::kFanIn;
  double embedding_std = 0.3;  // of the embeddings; with init = gpt2 the paper's is 0.02. Not read
                               // when tied under fan_in (models/parameter_arena.h)

  int64_t d_ff() const;    // rint(d_ff_ratio d_model)
  int64_t d_head() const;  // d_model / n_head
  bool operator==(const ModelShape&) const = default;
};

// One broken rule. `key` is the configuration's key, e.g. "model.n_head".
struct ShapeProblem {
  std::string key;
  std::string rule;  // "must divide model.d_model = 30"
};
// All broken rules; empty when the shape can be built. n_vocab 0 (not known yet) is accepted.
std::vector<ShapeProblem> validate(const ModelShape& shape);

// A field that nothing reads in a model of this shape, and why, as for a message.
struct UnreadField {
  std::string field;  // "n_head"
  std::string why;    // "model.arch = lstm does not read it"
};
std::vector<UnreadField> unread_fields(const ModelShape& shape);
bool reads_field(const ModelShape& shape, std::string_view field);  // "n_head"

// The shape with every field that nothing reads set to its default (an LSTM has no n_head, and no
// model of 0 layers) and d_ff_ratio as d_ff / d_model exactly, so that two configurations that
// train the same model compare equal.
ModelShape canonical(const ModelShape& shape);

// Exact parameters by group. A tied head stores nothing of its own: head = 0.
// Weights of linear maps count in attention, mlp, recurrent or head; every bias, a norm's
// included, in bias; norm gains in norm.
struct ParameterCounts {
  int64_t token_embedding = 0, position_embedding = 0, attention = 0, mlp = 0, recurrent = 0,
          norm = 0, bias = 0, head = 0;
  int64_t total() const;
  bool operator==(const ParameterCounts&) const = default;
};

// Where a row of logits ends on a GPU: rows begin on cache lines, whatever the vocabulary.
constexpr int64_t padded_vocabulary(int64_t n_vocab) {
  return (n_vocab + 63) / 64 * 64;
}

// Matrix-product FLOPs of a forward pass per token, 2 a multiply-add. Training costs three times
// as much (backward twice forward).
struct ForwardFlops {
  double attention = 0;         // query, key, value and output projections
  double attention_scores = 0;  // QK^T and PV counted causally, 2 L T W as Kaplan et al. 2.2;
                                // in full (Hoffmann et al. App. F, PaLM) it is twice that
  double mlp = 0, recurrent = 0;
  double head = 0;  // 2 W V, tied or not
  bool operator==(const ForwardFlops&) const = default;
};

// What "N" means. Never mix two in one fit; print the name beside every number.
enum class NCount { kNonEmbedding, kNonEmbeddingPlusHead, kTotal };
// What "C" means (all are training FLOPs).
enum class CCount { kSixN, kSixNPlusHead, kExactCausal, kExactFull, kChinchilla };

std::string_view name(NCount convention);  // "non_embedding", "non_embedding_plus_head", "total"
std::string_view name(CCount convention);  // "six_n", "six_n_plus_head", "exact_causal", ...
std::optional<NCount> n_count_from(std::string_view name);
std::optional<CCount> c_count_from(std::string_view name);

struct ModelCounts {
  ParameterCounts parameters;
  ForwardFlops forward_flops;  // per token, at n_ctx
};

// Counts by formula; nullopt for an architecture that gives none: it can be built and tested, but
// no run of it is started. Throws std::invalid_argument for an unknown architecture or n_vocab < 1.
std::optional<ModelCounts> count(const ModelShape& shape);

// N under a convention. non_embedding is attention + mlp + recurrent weights (Kaplan et al. 2.1:
// biases and norms left out); plus_head adds W V, tied or not; total is every stored parameter.
double n_params(const ModelShape& shape, const ModelCounts& counts, NCount convention);
// C per training token under a convention. kChinchilla is Hoffmann et al. App. F with the
// embedding product, softmax and full attention; throws std::invalid_argument for recurrent shapes.
double training_flops_per_token(const ModelShape& shape, const ModelCounts& counts,
                                CCount convention);

// Names in models/architectures.def, in its order.
std::vector<std::string> architecture_names();

}  // namespace scalelaw
