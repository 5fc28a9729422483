// The LSTM's kernel for all time steps, emulated, against the CPU's kernel of one step with plain
// loops as the products.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "models/kernels/lstm_pointwise.h"
#include "tests/models/emulated_kernels.h"

namespace scalelaw {
namespace {

struct LstmShape {
  int64_t replicas, steps, rows, width;

  size_t states() const { return static_cast<size_t>(replicas * steps * rows * width); }
  int64_t weight_stride() const { return 4 * width * width + 3; }
};

struct LstmResult {
  Floats gates, cells, hidden, gate_gradients, hidden_bf16, gradients_bf16;

  Floats all() const {
    Floats numbers;
    for (const Floats* part : {&gates, &cells, &hidden, &gate_gradients}) append(numbers, *part);
    return numbers;
  }
};

LstmResult persistent(const LstmShape& s, const Floats& x, Floats weight, const Floats& dh,
                      bool bf16) {
  LstmResult result{x, Floats(s.states(), kNaN), Floats(s.states(), kNaN), {}, {}, {}};
  Buffer hidden_bf16(ElementType::kBFloat16, Floats(s.states()));
  Buffer gates_bf16(ElementType::kBFloat16, Floats(4 * s.states()));
  const DeviceRows rows = {weight.data(), s.weight_stride()};
  EXPECT_EQ(kernels().persistent_lstm_forward(
                {result.gates.data(), rows, result.cells.data(), result.hidden.data(),
                 bf16 ? hidden_bf16.data() : nullptr, s.replicas, s.steps, s.rows, s.width},
                nullptr),
            0);
  result.gate_gradients = result.gates;
  EXPECT_EQ(kernels().persistent_lstm_backward(
                {result.gate_gradients.data(), rows, result.cells.data(), dh.data(),
                 bf16 ? gates_bf16.data() : nullptr, s.replicas, s.steps, s.rows, s.width},
                nullptr),
            0);
  result.hidden_bf16 = hidden_bf16.read();
  result.gradients_bf16 = gates_bf16.read();
  return result;
}

// y [rows, 4 W] += x [rows, W] weight, or with weight^T the other way round.
void add_product(int64_t rows, int64_t width, const float* x, const float* weight, bool transposed,
                 float* y) {
  const int64_t in = transposed ? 4 * width : width, out = transposed ? width : 4 * width;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t j = 0; j < out; ++j) {
      double sum = y[row * out + j];
      for (int64_t k = 0; k < in; ++k) {
        sum += double{x[row * in + k]} * weight[transposed ? j * in + k : k * out + j];
      }
      y[row * out + j] = static_cast<float>(sum);
    }
  }
}

LstmResult step_by_step(const LstmShape& s, const Floats& x, const Floats& weight,
                        const Floats& dh) {
  const int64_t step = s.rows * s.width;
  LstmResult result{x, Floats(s.states()), Floats(s.states()), {}, {}, {}};
  for (int64_t r = 0; r < s.replicas; ++r) {
    const float* of_replica = weight.data() + r * s.weight_stride();
    for (int64_t t = 0; t < s.steps; ++t) {
      const int64_t at = (r * s.steps + t) * step;
      float* gates = result.gates.data() + 4 * at;
      float *cell = result.cells.data() + at, *hidden = result.hidden.data() + at;
      if (t > 0) add_product(s.rows, s.width, hidden - step, of_replica, false, gates);
      lstm_step_forward(s.rows, s.width, gates, t > 0 ? cell - step : nullptr, cell, hidden);
    }
  }
  result.gate_gradients = result.gates;
  for (int64_t r = 0; r < s.replicas; ++r) {
    const float* of_replica = weight.data() + r * s.weight_stride();
    Floats cell_gradient(static_cast<size_t>(step));
    for (int64_t t = s.steps - 1; t >= 0; --t) {
      const int64_t at = (r * s.steps + t) * step;
      float* gates = result.gate_gradients.data() + 4 * at;
      const float* cell = result.cells.data() + at;
      Floats recurrent(static_cast<size_t>(step));
      if (t + 1 < s.steps) {
        add_product(s.rows, s.width, gates + 4 * step, of_replica, true, recurrent.data());
      }
      lstm_step_backward(s.rows, s.width, gates, t > 0 ? cell - step : nullptr, cell,
                         dh.data() + at, recurrent.data(), cell_gradient.data());
    }
  }
  return result;
}

void expect_rounded(const Floats& found, const Floats& exact) {
  const Buffer rounded(ElementType::kBFloat16, exact);
  for (size_t i = 0; i < exact.size(); ++i) {
    ASSERT_TRUE(std::isnan(exact[i]) ? std::isnan(found[i]) : found[i] == rounded.floats[i]) << i;
  }
}

// One sequence of the last replica holds a NaN, which no other may see.
TEST(EmulatedPersistentLstm, EqualsItsStepsOneByOne) {
  const Buffer exact(ElementType::kFloat, {});
  for (const LstmShape& s : std::vector<LstmShape>{{1, 1, 1, 1},
                                                   {3, 5, 1, 1},
                                                   {1, 5, 3, 7},
                                                   {3, 5, 4, 16},
                                                   {3, 4, 9, 20},
                                                   {3, 5, 3, 56},
                                                   {1, 1, 3, 56},
                                                   {1, 5, 1, 100},
                                                   {2, 3, 5, kMaxPersistentLstmWidth}}) {
    SCOPED_TRACE(testing::Message()
                 << "R " << s.replicas << " T " << s.steps << " B " << s.rows << " W " << s.width);
    const auto states = static_cast<int64_t>(s.states());
    Floats x = draw(4 * states, 21), weight = draw(s.replicas * s.weight_stride(), 22);
    const Floats dh = draw(states, 23);
    for (float& w : weight) w /= std::sqrt(static_cast<float>(s.width));
    // At the first step of the last replica's last sequence: its hidden states are NaN from there
    // on.
    const int64_t in_front = states - (s.steps - 1) * s.rows * s.width - s.width;
    if (s.rows > 1) x[static_cast<size_t>(4 * in_front)] = kNaN;
    LstmResult found;
    both_ways([&] {
      found = persistent(s, x, weight, dh, /*bf16=*/true);
      return found.all();
    });
    const LstmResult twin = step_by_step(s, x, weight, dh);
    expect_near(exact, found.gates, twin.gates);
    expect_near(exact, found.cells, twin.cells);
    expect_near(exact, found.hidden, twin.hidden);
    expect_near(exact, found.gate_gradients, twin.gate_gradients);
    expect_rounded(found.hidden_bf16, found.hidden);
    expect_rounded(found.gradients_bf16, found.gate_gradients);
    const Floats alone = persistent(s, x, weight, dh, /*bf16=*/false).all();
    EXPECT_TRUE(same_bits(alone, found.all())) << "what is rounded changes the rest";
  }
}

}  // namespace
}  // namespace scalelaw
