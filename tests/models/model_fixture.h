// A model with its arena, initialised, and random windows: what the tests of models/ start from.
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randint.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/language_model.h"

namespace scalelaw {

struct BuiltModel {
  std::unique_ptr<ParameterArena> arena;
  std::unique_ptr<LanguageModel> model;
};

// Replica r is initialised from seed first_seed + r.
inline BuiltModel build(const ModelShape& shape, int64_t replicas = 1, int64_t first_seed = 1,
                        const Execution& execution = {}, at::Device device = at::kCPU) {
  BuiltModel built;
  built.arena = std::make_unique<ParameterArena>();
  built.model = make_model(shape, execution, *built.arena);
  built.arena->allocate(replicas, device);
  for (int64_t r = 0; r < replicas; ++r) built.arena->initialise(r, first_seed + r);
  return built;
}

struct Windows {
  at::Tensor tokens, targets;  // (R, B, T)
};
inline Windows random_windows(const ModelShape& shape, int64_t replicas, int64_t windows,
                              int64_t tokens, uint64_t seed = 7) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  const auto draw = [&] {
    return at::randint(0, shape.n_vocab, {replicas, windows, tokens}, generator, at::kLong);
  };
  const at::Tensor first = draw();
  return {first, draw()};
}

// Zeroes the gradients, runs forward and backward, returns the replicas' losses.
inline at::Tensor train_step(const BuiltModel& built, const Windows& windows) {
  built.arena->zero_gradients();
  const at::Tensor loss = built.model->training_loss(windows.tokens, windows.targets);
  loss.sum().backward();
  return loss.detach();
}

// GPT-2's initialisation, so that no gradient vanishes with the residual outputs' zeros.
inline ModelShape small_shape(const std::string& arch, int64_t n_layer, int64_t d_model,
                              int64_t n_head = 2) {
  ModelShape shape;
  shape.arch = arch;
  shape.n_layer = n_layer;
  shape.d_model = d_model;
  shape.n_head = n_head;
  shape.n_ctx = 16;
  shape.n_vocab = 37;
  shape.init = InitScheme::kGpt2;
  return shape;
}

// Both architectures and every switch of the shape, small and odd.
inline std::vector<ModelShape> shape_grid() {
  std::vector<ModelShape> shapes;
  for (const char* arch : {"transformer", "lstm"}) {
    for (const int64_t n_layer : {0, 1, 3}) {
      for (const int64_t variant : {0, 1, 2}) {
        ModelShape shape = small_shape(arch, n_layer, variant == 1 ? 15 : 20, variant == 1 ? 3 : 2);
        shape.position = variant == 0 ? PositionEncoding::kRotary : PositionEncoding::kLearned;
        shape.embeddings = variant == 2 ? EmbeddingTying::kUntied : EmbeddingTying::kTied;
        shape.bias = variant != 2;
        shape.d_ff_ratio = variant == 2 ? 1.5 : 4.0;
        shapes.push_back(shape);
      }
    }
  }
  return shapes;
}

inline double largest(const at::Tensor& x) {
  return x.abs().max().item<double>();
}

}  // namespace scalelaw
