// A cell's keys as numbers: expressions evaluated, its horizon, however it was asked for, in
// tokens, and the model of the size that a ladder asks for.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/model_shape.h"
#include "trainer/config_yaml.h"

namespace scalelaw {

class ExpressionCache;
struct NamedLaw;

// A size that a ladder asked for.
struct CellSize {
  double asked = 0, n = 0;  // parameters
  NCount count = NCount::kNonEmbedding;
  bool has_default_depth = false;  // of layers that neither a key nor an aspect says
  double asked_d_head = 0;         // of heads that the ladder chose; 0: it chose none
  bool operator==(const CellSize&) const = default;
};

// What the keys of an evaluated cell no longer say.
struct CellNotes {
  std::optional<CellSize> size;
  std::optional<double> budget;       // FLOPs, of a horizon that was asked for in them
  std::vector<const NamedLaw*> laws;  // that its expressions call
};

// What a horizon may be asked for by; exactly one of them, or none for its default.
//   tokens            D
//   steps             D / train.batch_tokens
//   tokens_per_param  D / N, N as horizon.count says: non_embedding (where it says nothing),
//                     non_embedding_plus_head, total
//   flops             C, as horizon.count says: exact_causal (where it says nothing), six_n, ...
// tokens are what a run's own file has; the others are for sweeps.
const std::vector<std::string>& horizon_forms();  // "horizon.tokens", ...

// Replaces each value that begins with '=' by its number, the horizon by its tokens, and ladder.n
// by the model's keys that it chooses: d_model, n_layer too where ladder.aspect is given and
// n_layer is not, n_head and d_ff where ladder.d_head and ladder.d_ff_multiple are
// (sweeps/language/model_size.h). Of FLOPs the steps are those whose C is nearest, so within half a
// step of what was asked for, one at least.
//
// An expression's names are the keys of a configuration, by their whole path or their last part
// where that is one key's alone ("n_ctx", "train.batch_tokens"), and
//   N  N_plus_head  N_total    parameters without embeddings and head, with the head, all
//   D                          training tokens, of whole steps; what horizon and batch themselves
//                              follow from sees those asked for, and so does a condition
//   C                          training FLOPs, exact_causal
//   budget                     of a horizon in FLOPs, what was asked for
//   n_vocab                    of the train set; asked for where something needs it
// ConfigError: file, line, key and character; expressions that need each other, by the whole
// circle; a name that is none, with the nearest; two forms of the horizon; a size that no model
// comes within twice of.
CellNotes evaluate_expressions(FlatConfig& config, const std::function<int64_t()>& n_vocab,
                               ExpressionCache& expressions);

// `condition`, "N <= 1e6" of the same names, of a cell that is evaluated; `key` is for messages.
// ConfigError as above, where `budget` is no name any more, and for a number that is no condition.
bool holds(const SourcedText& condition, const std::string& key, FlatConfig config,
           const std::function<int64_t()>& n_vocab, ExpressionCache& expressions);

}  // namespace scalelaw
