// FLOPs by arithmetic against the matrix products that really run, forward and backward.
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/models/model_fixture.h"

namespace scalelaw {
namespace {

thread_local double counted_flops = 0;
thread_local int product_depth = 0;  // a product that calls another counts once

bool is_product(const at::RecordFunction& function) {
  const std::string name = function.name();
  return name == "aten::mm" || name == "aten::addmm" || name == "aten::bmm" ||
         name == "aten::baddbmm";
}

// The two factors are the last two tensors: (..., M, K) and (..., K, N).
double flops_of(const at::RecordFunction& function) {
  std::vector<at::Tensor> tensors;
  for (const c10::IValue& input : function.inputs()) {
    if (input.isTensor()) tensors.push_back(input.toTensor());
  }
  const at::Tensor& b = tensors[tensors.size() - 1];
  const at::Tensor& a = tensors[tensors.size() - 2];
  return 2.0 * static_cast<double>(a.numel()) * static_cast<double>(b.size(-1));
}

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  if (is_product(function) && product_depth++ == 0) counted_flops += flops_of(function);
  return nullptr;
}

void on_end(const at::RecordFunction& function, at::ObserverContext*) {
  if (is_product(function)) --product_depth;
}

double counted_training_flops(const ModelShape& shape, int64_t windows) {
  const BuiltModel built = build(shape, 1, 1, {at::kFloat, /*plain_operators=*/true});
  const Windows data = random_windows(shape, 1, windows, shape.n_ctx);
  counted_flops = 0;
  // Backward runs on this thread too: the CPU has no device threads.
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(on_start, on_end)
                                                     .needsInputs(true)
                                                     .scopes({at::RecordScope::FUNCTION}));
  train_step(built, data);
  at::removeCallback(handle);
  return counted_flops;
}

TEST(Flops, ArithmeticEqualsTheTraceOfMatrixProducts) {
  for (const ModelShape& shape : shape_grid()) {
    const int64_t windows = 2;
    double expected = training_flops_per_token(shape, *count(shape), CCount::kExactFull) *
                      static_cast<double>(windows * shape.n_ctx);
    if (shape.arch == "lstm") {
      // The first token has no hidden state to multiply: 8 W^2 forward a layer and window.
      const auto width = static_cast<double>(shape.d_model);
      expected -= 3 * 8 * width * width * static_cast<double>(shape.n_layer * windows);
    }
    EXPECT_EQ(counted_training_flops(shape, windows), expected)
        << shape.arch << " L" << shape.n_layer;
  }
}

}  // namespace
}  // namespace scalelaw
