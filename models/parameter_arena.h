// All parameters of R replicas of one model in one buffer, and their gradients in another.
//
//   values    [R, P] float32   one row a replica
//   gradients [R, P] float32   the same layout
//
// A parameter is a strided view [R, ...shape] of a column range; each range starts at a multiple
// of 64 bytes (the padding stays zero). So clipping, optimizer hyperparameters, freezing and
// checkpoints are row operations, and bmm takes the views as they are.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/model_shape.h"

namespace scalelaw {

// Decides the group of ParameterCounts and whether weight decay applies (matrices only).
enum class ParameterGroup {
  kTokenEmbedding,
  kPositionEmbedding,
  kAttention,
  kMlp,
  kRecurrent,
  kNorm,
  kBias,
  kHead
};

struct Init {
  double mean = 0;
  double std = 0;                        // 0: constant `mean`
  int64_t ones_begin = 0, ones_end = 0;  // of the flattened parameter, set to 1 afterwards
  static Init normal(double std) { return {0.0, std}; }
  static Init constant(double value) { return {value, 0.0}; }
  static Init zeros_with_ones(int64_t begin, int64_t end) { return {0.0, 0.0, begin, end}; }
};

// std of a matrix [fan_in, ...] that is not a residual output, and of one that is (attention's
// output and the MLP's second matrix).
double matrix_std(const ModelShape& shape, int64_t fan_in);
double residual_output_std(const ModelShape& shape);
// std of the token and position embeddings. Under kFanIn a tied embedding is also the head's matrix
// [d_model, V] and starts as one: with a constant std the first prediction, which is the input
// token itself, would be surer the wider the model.
double embedding_std(const ModelShape& shape);

struct ParameterSpec {
  std::string name;            // "blocks.0.attention.qkv.weight"; PyTorch's words, [in, out] layout
  std::vector<int64_t> shape;  // without R
  ParameterGroup group;
  Init init;
  int64_t offset = 0;  // first column, a multiple of 16
  int64_t numel = 0;
};

// A handle that a layer keeps; usable once the arena is allocated.
class Parameter {
 public:
  Parameter() = default;
  // A parameter outside any arena, of any dtype: for tests of one layer.
  Parameter(at::Tensor value, at::Tensor gradient);

  const at::Tensor& value() const { return *value_; }  // [R, ...shape], a leaf that requires grad
  const at::Tensor& gradient() const { return *gradient_; }  // the same view of the gradients
  bool declared() const { return value_ != nullptr; }

 private:
  friend class ParameterArena;
  std::shared_ptr<at::Tensor> value_;
  std::shared_ptr<at::Tensor> gradient_;
};

class ParameterArena {
 public:
  // Before allocate(); names must be unique (TORCH_CHECK).
  Parameter declare(std::string name, std::vector<int64_t> shape, ParameterGroup group, Init init);
  // Once. Both buffers zero; every value's .grad() is its view of the gradient arena.
  void allocate(int64_t replicas, at::Device device);
  // Fills row `replica`. Each parameter's numbers depend on (seed, name) only: not on the device,
  // on R, on the row or on the other parameters.
  void initialise(int64_t replica, int64_t seed);

  void zero_gradients();  // at the start of a step; layers and autograd then only add

  int64_t replicas() const { return replicas_; }
  int64_t row_length() const { return row_length_; }  // P, padding included
  const at::Tensor& values() const { return values_; }
  const at::Tensor& gradients() const { return gradients_; }
  const std::vector<ParameterSpec>& specs() const { return specs_; }
  ParameterCounts counts() const;  // of one replica, from what was declared

 private:
  std::vector<ParameterSpec> specs_;
  std::vector<Parameter> parameters_;
  int64_t replicas_ = 0;
  int64_t row_length_ = 0;
  at::Tensor values_, gradients_;
};

}  // namespace scalelaw
