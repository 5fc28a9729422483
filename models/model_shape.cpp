#include "models/model_shape.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "models/architecture_counts.h"

namespace scalelaw {
namespace {

struct RegisteredArchitecture {
  std::string_view name;
  ArchitectureCounts counts;
};

const std::vector<RegisteredArchitecture>& registry() {
  static const std::vector<RegisteredArchitecture> entries = {
#define SCALELAW_ARCHITECTURE(name, what) {#name, describe_##name()},
#include "models/architectures.def"
#undef SCALELAW_ARCHITECTURE
  };
  return entries;
}

// Larger values are typing errors, and their counts would not fit 64 bits.
constexpr int64_t kMaxLayers = 1 << 16;
constexpr int64_t kMaxWidth = 1 << 20;
constexpr int64_t kMaxContext = 1 << 24;
constexpr int64_t kMaxVocabulary = (int64_t{1} << 31) - 1;

void require_range(std::string_view key, int64_t value, int64_t low, int64_t high,
                   std::vector<ShapeProblem>& problems) {
  if (value >= low && value <= high) return;
  problems.push_back({"model." + std::string(key), "must be " + std::to_string(low) + " to " +
                                                       std::to_string(high) + ", is " +
                                                       std::to_string(value)});
}

// Sets the named field of `shape` to its default.
void reset_field(std::string_view field, ModelShape& shape) {
  const ModelShape defaults;
  if (field == "n_layer") {
    shape.n_layer = defaults.n_layer;
  } else if (field == "d_ff_ratio") {
    shape.d_ff_ratio = defaults.d_ff_ratio;
  } else if (field == "n_head") {
    shape.n_head = defaults.n_head;
  } else if (field == "position") {
    shape.position = defaults.position;
  } else if (field == "bias") {
    shape.bias = defaults.bias;
  } else if (field == "embedding_std") {
    shape.embedding_std = defaults.embedding_std;
  } else {
    throw std::invalid_argument("models/: unused_fields names '" + std::string(field) +
                                "', which every architecture reads or no shape has");
  }
}

template <typename Convention, size_t kCount>
using Names = std::array<std::pair<Convention, std::string_view>, kCount>;

constexpr Names<NCount, 3> kNNames = {{{NCount::kNonEmbedding, "non_embedding"},
                                       {NCount::kNonEmbeddingPlusHead, "non_embedding_plus_head"},
                                       {NCount::kTotal, "total"}}};
constexpr Names<CCount, 5> kCNames = {{{CCount::kSixN, "six_n"},
                                       {CCount::kSixNPlusHead, "six_n_plus_head"},
                                       {CCount::kExactCausal, "exact_causal"},
                                       {CCount::kExactFull, "exact_full"},
                                       {CCount::kChinchilla, "chinchilla"}}};

template <typename Convention, size_t kCount>
std::string_view name_in(const Names<Convention, kCount>& names, Convention convention) {
  for (const auto& [value, text] : names) {
    if (value == convention) return text;
  }
  return {};
}

template <typename Convention, size_t kCount>
std::optional<Convention> find_in(const Names<Convention, kCount>& names, std::string_view text) {
  for (const auto& [value, known] : names) {
    if (known == text) return value;
  }
  return std::nullopt;
}

double chinchilla_forward_flops(const ModelShape& shape) {
  const auto width = static_cast<double>(shape.d_model);
  const auto heads = static_cast<double>(shape.n_head);
  const auto context = static_cast<double>(shape.n_ctx);
  const auto vocabulary = static_cast<double>(shape.n_vocab);
  const double embedding = 2 * vocabulary * width;
  const double query_key_value = 6 * width * width;
  const double scores = 2 * context * width;
  const double softmax = 3 * heads * context;
  const double reduction = 2 * context * width;
  const double projection = 2 * width * width;
  const double dense = 4 * width * static_cast<double>(shape.d_ff());
  const double head = 2 * width * vocabulary;
  return embedding + head +
         static_cast<double>(shape.n_layer) *
             (query_key_value + scores + softmax + reduction + projection + dense);
}

}  // namespace

const ArchitectureCounts* find_architecture(std::string_view arch) {
  for (const auto& entry : registry()) {
    if (entry.name == arch) return &entry.counts;
  }
  return nullptr;
}

int64_t ModelShape::d_ff() const {
  return static_cast<int64_t>(std::rint(d_ff_ratio * static_cast<double>(d_model)));
}

int64_t ModelShape::d_head() const {
  return d_model / n_head;
}

int64_t ParameterCounts::total() const {
  return token_embedding + position_embedding + attention + mlp + recurrent + norm + bias + head;
}

std::vector<ShapeProblem> validate(const ModelShape& shape) {
  std::vector<ShapeProblem> problems;
  require_range("n_layer", shape.n_layer, 0, kMaxLayers, problems);
  require_range("d_model", shape.d_model, 1, kMaxWidth, problems);
  require_range("n_ctx", shape.n_ctx, 1, kMaxContext, problems);
  require_range("n_vocab", shape.n_vocab, 0, kMaxVocabulary, problems);
  if (!(std::isfinite(shape.embedding_std) && shape.embedding_std > 0)) {
    problems.push_back({"model.embedding_std", "must be a finite number above 0"});
  }
  if (const ArchitectureCounts* architecture = find_architecture(shape.arch)) {
    const bool has_layers = shape.n_layer > 0;
    if (architecture->check && has_layers && problems.empty()) {
      architecture->check(shape, problems);
    }
    return problems;
  }
  std::string known;
  for (const auto& entry : registry()) {
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  problems.push_back({"model.arch", "must be one of: " + known + "; is '" + shape.arch + "'"});
  return problems;
}

std::vector<UnreadField> unread_fields(const ModelShape& shape) {
  std::vector<UnreadField> unread;
  if (const ArchitectureCounts* architecture = find_architecture(shape.arch)) {
    for (const std::string& field : architecture->unused_fields) {
      unread.push_back({field, "model.arch = " + shape.arch + " does not read it"});
    }
  }
  if (shape.init == InitScheme::kFanIn && shape.embeddings == EmbeddingTying::kTied) {
    unread.push_back({"embedding_std",
                      "read only with model.init = gpt2 or model.embeddings = untied; a tied head "
                      "under fan_in starts as N(0, 1/d_model)"});
  }
  if (shape.n_layer == 0) {
    for (const char* field : {"d_ff_ratio", "n_head"}) {
      unread.push_back({field, "a model of 0 layers does not read it"});
    }
  }
  return unread;
}

bool reads_field(const ModelShape& shape, std::string_view field) {
  const std::vector<UnreadField> unread = unread_fields(shape);
  return std::ranges::find(unread, field, &UnreadField::field) == unread.end();
}

ModelShape canonical(const ModelShape& shape) {
  ModelShape result = shape;
  for (const UnreadField& unread : unread_fields(shape)) reset_field(unread.field, result);
  // 2.6666667 and 2.66666667 are the same d_ff.
  result.d_ff_ratio = static_cast<double>(result.d_ff()) /
                      static_cast<double>(std::max<int64_t>(1, result.d_model));
  return result;
}

std::optional<ModelCounts> count(const ModelShape& shape) {
  const ArchitectureCounts* architecture = find_architecture(shape.arch);
  if (architecture == nullptr) {
    throw std::invalid_argument("count: unknown architecture '" + shape.arch + "'");
  }
  if (shape.n_vocab < 1) throw std::invalid_argument("count: n_vocab must be at least 1");
  if (!architecture->trunk) return std::nullopt;
  ModelCounts counts = architecture->trunk(shape);
  const int64_t table = shape.n_vocab * shape.d_model;
  counts.parameters.token_embedding += table;
  counts.parameters.norm += shape.d_model;
  if (shape.bias) counts.parameters.bias += shape.d_model;
  if (shape.embeddings == EmbeddingTying::kUntied) counts.parameters.head += table;
  counts.forward_flops.head += 2 * static_cast<double>(table);
  return counts;
}

std::string_view name(NCount convention) {
  return name_in(kNNames, convention);
}
std::string_view name(CCount convention) {
  return name_in(kCNames, convention);
}
std::optional<NCount> n_count_from(std::string_view name) {
  return find_in(kNNames, name);
}
std::optional<CCount> c_count_from(std::string_view name) {
  return find_in(kCNames, name);
}

double n_params(const ModelShape& shape, const ModelCounts& counts, NCount convention) {
  const ParameterCounts& p = counts.parameters;
  if (convention == NCount::kTotal) return static_cast<double>(p.total());
  const auto weights = static_cast<double>(p.attention + p.mlp + p.recurrent);
  if (convention == NCount::kNonEmbedding) return weights;
  return weights + static_cast<double>(shape.n_vocab) * static_cast<double>(shape.d_model);
}

double training_flops_per_token(const ModelShape& shape, const ModelCounts& counts,
                                CCount convention) {
  const ForwardFlops& forward = counts.forward_flops;
  const double products = forward.attention + forward.mlp + forward.recurrent + forward.head;
  switch (convention) {
    case CCount::kSixN:
      return 6 * n_params(shape, counts, NCount::kNonEmbedding);
    case CCount::kSixNPlusHead:
      return 6 * n_params(shape, counts, NCount::kNonEmbeddingPlusHead);
    case CCount::kExactCausal:
      return 3 * (products + forward.attention_scores);
    case CCount::kExactFull:
      return 3 * (products + 2 * forward.attention_scores);
    case CCount::kChinchilla:
      if (counts.parameters.recurrent > 0 || shape.arch != "transformer") {
        throw std::invalid_argument("the count 'chinchilla' is defined for Transformers, not for " +
                                    shape.arch);
      }
      return 3 * chinchilla_forward_flops(shape);
  }
  throw std::invalid_argument("unknown C convention");
}

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const auto& entry : registry()) names.emplace_back(entry.name);
  return names;
}

}  // namespace scalelaw
