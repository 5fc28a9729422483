#include "models/layers/product.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "models/kernels/dense_product.h"
#include "models/layers/cast.h"
#include "tests/models/model_fixture.h"

namespace scalelaw {
namespace {

at::Tensor draw(std::vector<int64_t> shape, at::ScalarType dtype = at::kFloat) {
  at::Generator generator = at::detail::createCPUGenerator(static_cast<uint64_t>(shape[1]));
  return at::randn(shape, generator, dtype);
}

// A view as the arena gives it: replicas further apart than their elements.
at::Tensor with_gaps(const at::Tensor& x) {
  const at::Tensor rows = at::zeros({x.size(0), x.numel() / x.size(0) + 16}, x.options());
  const at::Tensor view = rows.narrow(1, 0, x.numel() / x.size(0)).view(x.sizes());
  view.copy_(x);
  return view;
}

struct Sizes {
  int64_t replicas, rows, depth, columns;
};
constexpr Sizes kSizes[] = {{1, 1, 1, 1},
                            {3, 1, 5, 2},
                            {2, 9, 1, 7},
                            {1, 7, 8, 1},
                            {3, 33, 17, 40},
                            {1, 600, 24, 70},
                            {2, 531, 70, 24},
                            // in panels: the last of each kind is partly filled
                            {1, 130, 1030, 300},
                            {2, 150, 70, 1024},
                            {1, 600, 300, 1100}};

// K roundings (6e-8) of partial sums of size sqrt(K), random in sign, add up to 6e-8 K; the largest
// of a million entries is some five times that.
double tolerance(int64_t depth) {
  return 4e-7 * static_cast<double>(depth + 4);
}

TEST(Product, EqualsFloat64ForAnyLayout) {
  for (const Sizes& s : kSizes) {
    const at::Tensor a = draw({s.replicas, s.rows, s.depth});
    const at::Tensor b = draw({s.replicas, s.depth, s.columns});
    const at::Tensor bias = draw({s.replicas, s.columns});
    const at::Tensor exact = at::bmm(a.to(at::kDouble), b.to(at::kDouble));
    const at::Tensor b_turned = with_gaps(b.transpose(1, 2).contiguous()).transpose(1, 2);
    for (const at::Tensor& operand : {b, with_gaps(b), b_turned}) {
      EXPECT_LT(largest(product(a, operand) - exact), tolerance(s.depth));
      EXPECT_LT(largest(product_plus_bias(a, operand, bias) - exact - bias.unsqueeze(1)),
                tolerance(s.depth));
    }
  }
}

TEST(Product, TransposedProductIsAddedWhereTheSumLies) {
  for (const Sizes& s : kSizes) {
    const at::Tensor a = draw({s.replicas, s.rows, s.depth});
    const at::Tensor b = draw({s.replicas, s.rows, s.columns});
    const at::Tensor sum = with_gaps(at::ones({s.replicas, s.depth, s.columns}));
    add_transposed_product(a, b, sum);
    const at::Tensor exact = at::bmm(a.to(at::kDouble).transpose(1, 2), b.to(at::kDouble)) + 1;
    EXPECT_LT(largest(sum - exact), tolerance(s.rows));
    const at::Tensor row_sum = at::ones({s.replicas, s.columns});
    add_row_sum(b, row_sum);
    EXPECT_LT(largest(row_sum - b.to(at::kDouble).sum(1) - 1), tolerance(s.rows));
  }
}

TEST(Product, DoesWithoutBFloat16WhereOneDnnIsToldTo) {
  if (std::getenv("ONEDNN_MAX_CPU_ISA") == nullptr) GTEST_SKIP() << "it is told nothing";
  EXPECT_FALSE(has_bfloat16_products());
}

// The products of bf16 numbers are exact in float32, so that only the sums round.
TEST(Product, OfBFloat16EqualsFloat64OfTheSameNumbers) {
  if (!has_bfloat16_products()) GTEST_SKIP() << "this CPU does not multiply in bf16";
  for (const Sizes& s : kSizes) {
    const at::Tensor a = draw({s.replicas, s.rows, s.depth}, at::kBFloat16);
    const at::Tensor b = draw({s.replicas, s.depth, s.columns}, at::kBFloat16);
    const at::Tensor bias = draw({s.replicas, s.columns});
    const at::Tensor exact = at::bmm(a.to(at::kDouble), b.to(at::kDouble));
    const at::Tensor b_turned = with_gaps(b.transpose(1, 2).contiguous()).transpose(1, 2);
    for (const at::Tensor& operand : {b, with_gaps(b), b_turned}) {
      EXPECT_EQ(product(a, operand).scalar_type(), at::kFloat);
      EXPECT_LT(largest(product(a, operand) - exact), tolerance(s.depth));
      EXPECT_LT(largest(product_plus_bias(a, operand, bias) - exact - bias.unsqueeze(1)),
                tolerance(s.depth));
    }
    EXPECT_LT(largest(product(with_gaps(a), b) - exact), tolerance(s.depth));
    const at::Tensor c = draw({s.replicas, s.rows, s.columns}, at::kBFloat16);
    const at::Tensor sum = with_gaps(at::ones({s.replicas, s.depth, s.columns}));
    add_transposed_product(a, c, sum);
    const at::Tensor exact_sum = at::bmm(a.to(at::kDouble).transpose(1, 2), c.to(at::kDouble)) + 1;
    EXPECT_LT(largest(sum - exact_sum), tolerance(s.rows));
  }
}

TEST(Cast, RoundsAsATenDoes) {
  const float infinity = std::numeric_limits<float>::infinity();
  // ties to even both ways, the largest float, and the smallest
  const at::Tensor special = at::tensor(
      {1.00390625f, 1.01171875f, -1.00390625f, 3.4028235e38f, 1e-45f, -0.0f, infinity, -infinity});
  const at::Tensor x = at::cat({special, draw({1, 1001}).flatten() * 1e3}).view({1, 1009, 1});
  const at::Tensor rounded = cast(x, at::kBFloat16);
  EXPECT_EQ(rounded.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(rounded, x.to(at::kBFloat16)));
  EXPECT_TRUE(at::equal(cast(rounded, at::kFloat), rounded.to(at::kFloat)));
  EXPECT_TRUE(cast(x, at::kFloat).is_same(x));
  float nan = 0;  // whose last bits alone make it one
  const uint32_t bits = 0x7F800001u;
  std::memcpy(&nan, &bits, sizeof(nan));
  EXPECT_TRUE(std::isnan(cast(at::full({1}, nan), at::kBFloat16).item<float>()));
}

TEST(Product, ThreadsShareTheRows) {
  const at::Tensor a = draw({2, 531, 70}), b = draw({2, 70, 24}), c = draw({2, 531, 130});
  const at::Tensor alone = product(a, b), alone_sum = at::zeros({2, 70, 130});
  add_transposed_product(a, c, alone_sum);
  const int before = at::get_num_threads();
  at::set_num_threads(2);
  const at::Tensor shared = product(a, b), shared_sum = at::zeros({2, 70, 130});
  add_transposed_product(a, c, shared_sum);
  at::set_num_threads(before);
  EXPECT_LT(largest(shared - alone), tolerance(70));
  EXPECT_LT(largest(shared_sum - alone_sum), tolerance(531));
}

thread_local std::vector<int64_t> copied_elements;
std::unique_ptr<at::ObserverContext> note_copies(const at::RecordFunction& function) {
  const std::string name = function.name();
  if (name == "aten::copy_" || name == "aten::clone" || name == "aten::contiguous") {
    copied_elements.push_back(function.inputs()[0].toTensor().numel());
  }
  return nullptr;
}

// bmm takes an arena's strided views as they are; float64 goes through ATen, as a GPU's float32.
TEST(Product, AtenCopiesNoArenaView) {
  for (const int64_t replicas : {1, 3}) {
    const at::Tensor weight = with_gaps(draw({replicas, 20, 30}, at::kDouble));
    const at::Tensor bias = with_gaps(draw({replicas, 30}, at::kDouble));
    const at::Tensor x = draw({replicas, 40, 20}, at::kDouble);
    copied_elements.clear();
    const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(note_copies)
                                                       .needsInputs(true)
                                                       .scopes({at::RecordScope::FUNCTION}));
    const at::Tensor y = product_plus_bias(x, weight, bias);
    product(y, weight.transpose(1, 2));
    at::removeCallback(handle);
    for (const int64_t elements : copied_elements) {
      EXPECT_EQ(elements, y.numel()) << "R " << replicas;  // the bias, spread over the output
    }
  }
}

}  // namespace
}  // namespace scalelaw
