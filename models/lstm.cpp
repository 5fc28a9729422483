// Stacked LSTM layers in a residual stream: x + LSTM(norm(x)) a layer, so that embedding, final
// norm and head are the Transformer's and only the recurrence differs. No dropout.
//
// The gates' bias exists whatever shape.bias says, because it carries the forget gate's start at 1
// (Jozefowicz et al. 2015).
//
// Shapes: R replicas, B windows, T tokens, W d_model.
#include <ATen/TensorOperators.h>

#include <string>
#include <vector>

#include "models/language_model.h"
#include "models/layers/lstm_layer.h"
#include "models/layers/recompute.h"
#include "models/layers/residual_norm.h"

namespace scalelaw {
namespace {

struct Layer {
  Parameter gain, norm_bias;
  LstmParameters lstm;
};

Layer declare_layer(const ModelShape& shape, ParameterArena& arena, const std::string& prefix) {
  const int64_t width = shape.d_model;
  const Init weights = Init::normal(matrix_std(shape, width));
  Layer layer;
  layer.gain =
      arena.declare(prefix + "norm.gain", {width}, ParameterGroup::kNorm, Init::constant(1.0));
  if (shape.bias) {
    layer.norm_bias =
        arena.declare(prefix + "norm.bias", {width}, ParameterGroup::kBias, Init::constant(0.0));
  }
  layer.lstm.input = arena.declare(prefix + "input.weight", {width, 4 * width},
                                   ParameterGroup::kRecurrent, weights);
  layer.lstm.hidden = arena.declare(prefix + "hidden.weight", {width, 4 * width},
                                    ParameterGroup::kRecurrent, weights);
  layer.lstm.bias = arena.declare(prefix + "bias", {4 * width}, ParameterGroup::kBias,
                                  Init::zeros_with_ones(width, 2 * width));
  return layer;
}

class Lstm : public LanguageModel {
 public:
  Lstm(const ModelShape& shape, const Execution& execution, ParameterArena& arena)
      : LanguageModel(shape, execution, arena) {
    for (int64_t i = 0; i < shape.n_layer; ++i) {
      layers_.push_back(declare_layer(shape, arena, "layers." + std::to_string(i) + "."));
    }
  }

 protected:
  at::Tensor trunk(const at::Tensor& embedded) const override {
    if (layers_.empty()) return embedded;
    const Execution& how = execution();
    const at::Tensor by_time = embedded.transpose(1, 2).contiguous();  // (R, T, B, W)
    ResidualStream stream = {by_time.flatten(1, 2), {}};               // (R, T*B, W)
    for (const Layer& layer : layers_) {
      const auto run = [&layer, how, sizes = by_time.sizes().vec()](const ResidualStream& in) {
        const ResidualNorm x = residual_norm(in, layer.gain, layer.norm_bias, how);
        return ResidualStream{x.residual,
                              lstm_layer(x.normed.view(sizes), layer.lstm, how).flatten(1, 2)};
      };
      stream = through_block(run, stream, how);
    }
    const at::Tensor x = stream.residual + stream.branch;
    return x.view(by_time.sizes()).transpose(1, 2);  // (R, B, T, W)
  }

 private:
  std::vector<Layer> layers_;
};

}  // namespace

std::unique_ptr<LanguageModel> make_lstm(const ModelShape& shape, const Execution& execution,
                                         ParameterArena& arena) {
  return std::make_unique<Lstm>(shape, execution, arena);
}

}  // namespace scalelaw
