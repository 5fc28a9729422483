#include "models/parameter_arena.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace scalelaw {
namespace {

constexpr int64_t kAlignmentElements = 16;  // 64 bytes of float32

int64_t aligned(int64_t elements) {
  return (elements + kAlignmentElements - 1) / kAlignmentElements * kAlignmentElements;
}

// FNV-1a over the name, then the seed, finished as in MurmurHash3. The generator reads 32 bits.
uint64_t stream_seed(int64_t seed, const std::string& name) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  const auto mix = [&hash](uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3ULL; };
  for (const char letter : name) mix(static_cast<uint8_t>(letter));
  for (int shift = 0; shift < 64; shift += 8) {
    mix(static_cast<uint8_t>(static_cast<uint64_t>(seed) >> shift));
  }
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return (hash ^ (hash >> 33)) & 0xffffffffULL;
}

at::Tensor initial_values(const ParameterSpec& spec, int64_t seed) {
  at::Tensor values = at::empty({spec.numel}, at::kFloat);
  if (spec.init.std > 0) {
    at::Generator generator = at::detail::createCPUGenerator(stream_seed(seed, spec.name));
    values.normal_(spec.init.mean, spec.init.std, generator);
  } else {
    values.fill_(spec.init.mean);
  }
  values.slice(0, spec.init.ones_begin, spec.init.ones_end).fill_(1.0);
  return values;
}

// Columns [offset, offset + numel) as [R, ...shape].
at::Tensor columns(const at::Tensor& arena, const ParameterSpec& spec) {
  std::vector<int64_t> shape = {arena.size(0)};
  shape.insert(shape.end(), spec.shape.begin(), spec.shape.end());
  return arena.narrow(1, spec.offset, spec.numel).view(shape);
}

}  // namespace

double matrix_std(const ModelShape& shape, int64_t fan_in) {
  if (shape.init == InitScheme::kGpt2) return 0.02;
  return 1.0 / std::sqrt(static_cast<double>(fan_in));
}

double embedding_std(const ModelShape& shape) {
  const bool is_fan_in_head =
      shape.init == InitScheme::kFanIn && shape.embeddings == EmbeddingTying::kTied;
  return is_fan_in_head ? matrix_std(shape, shape.d_model) : shape.embedding_std;
}

double residual_output_std(const ModelShape& shape) {
  if (shape.init != InitScheme::kGpt2) return 0.0;
  return 0.02 / std::sqrt(2.0 * static_cast<double>(std::max<int64_t>(shape.n_layer, 1)));
}

Parameter::Parameter(at::Tensor value, at::Tensor gradient)
    : value_(std::make_shared<at::Tensor>(std::move(value))),
      gradient_(std::make_shared<at::Tensor>(std::move(gradient))) {}

Parameter ParameterArena::declare(std::string name, std::vector<int64_t> shape,
                                  ParameterGroup group, Init init) {
  TORCH_CHECK(!values_.defined(), "parameter '", name, "' declared after allocate()");
  for (const ParameterSpec& spec : specs_) {
    TORCH_CHECK(spec.name != name, "parameter '", name, "' declared twice");
  }
  int64_t numel = 1;
  for (const int64_t size : shape) {
    TORCH_CHECK(size > 0, "parameter '", name, "' has a size of ", size);
    numel *= size;
  }
  specs_.push_back({std::move(name), std::move(shape), group, init, row_length_, numel});
  row_length_ += aligned(numel);
  parameters_.emplace_back(at::Tensor(), at::Tensor());
  return parameters_.back();
}

void ParameterArena::allocate(int64_t replicas, at::Device device) {
  TORCH_CHECK(!values_.defined(), "the arena is allocated once");
  TORCH_CHECK(replicas >= 1, "replicas must be at least 1, is ", replicas);
  replicas_ = replicas;
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  values_ = at::zeros({replicas, row_length_}, options);
  gradients_ = at::zeros({replicas, row_length_}, options);
  for (size_t i = 0; i < specs_.size(); ++i) {
    at::Tensor& value = *parameters_[i].value_;
    at::Tensor& gradient = *parameters_[i].gradient_;
    value = columns(values_, specs_[i]).detach();
    value.requires_grad_(true);
    gradient = columns(gradients_, specs_[i]);
    value.mutable_grad() = gradient;
  }
}

void ParameterArena::initialise(int64_t replica, int64_t seed) {
  TORCH_CHECK(replica >= 0 && replica < replicas_, "replica ", replica, " of ", replicas_);
  const at::NoGradGuard no_grad;
  const at::Tensor row = values_.select(0, replica);
  for (const ParameterSpec& spec : specs_) {
    row.narrow(0, spec.offset, spec.numel).copy_(initial_values(spec, seed));
  }
}

void ParameterArena::zero_gradients() {
  gradients_.zero_();
}

ParameterCounts ParameterArena::counts() const {
  ParameterCounts counts;
  for (const ParameterSpec& spec : specs_) {
    switch (spec.group) {
      case ParameterGroup::kTokenEmbedding:
        counts.token_embedding += spec.numel;
        break;
      case ParameterGroup::kPositionEmbedding:
        counts.position_embedding += spec.numel;
        break;
      case ParameterGroup::kAttention:
        counts.attention += spec.numel;
        break;
      case ParameterGroup::kMlp:
        counts.mlp += spec.numel;
        break;
      case ParameterGroup::kRecurrent:
        counts.recurrent += spec.numel;
        break;
      case ParameterGroup::kNorm:
        counts.norm += spec.numel;
        break;
      case ParameterGroup::kBias:
        counts.bias += spec.numel;
        break;
      case ParameterGroup::kHead:
        counts.head += spec.numel;
        break;
    }
  }
  return counts;
}

}  // namespace scalelaw
