// Which of a device's kernels make an LSTM's recurrence, and what bf16 does to it there.
#include <gtest/gtest.h>

#include <algorithm>

#include "models/kernels/device_kernels.h"
#include "models/layers/lstm_layer.h"
#include "tests/models/layer_cases.h"
#include "tests/models/model_fixture.h"

namespace scalelaw {
namespace {

const DeviceKernels* installed = nullptr;
int launches_of_steps = 0, launches_of_all = 0;

template <typename Arguments, DeviceKernel<Arguments> DeviceKernels::*kernel, int* launches>
int counted(const Arguments& arguments, void* stream) {
  ++*launches;
  return (installed->*kernel)(arguments, stream);
}

class LstmWays : public testing::Test {
 protected:
  LstmWays() {
    installed = device_kernels();
    counting_ = *installed;
    counting_.lstm_forward =
        counted<LstmForwardArguments, &DeviceKernels::lstm_forward, &launches_of_steps>;
    counting_.lstm_backward =
        counted<LstmBackwardArguments, &DeviceKernels::lstm_backward, &launches_of_steps>;
    counting_.persistent_lstm_forward =
        counted<PersistentLstmForwardArguments, &DeviceKernels::persistent_lstm_forward,
                &launches_of_all>;
    counting_.persistent_lstm_backward =
        counted<PersistentLstmBackwardArguments, &DeviceKernels::persistent_lstm_backward,
                &launches_of_all>;
    install_device_kernels(&counting_);
    launches_of_steps = launches_of_all = 0;
  }
  ~LstmWays() override { install_device_kernels(installed); }

  // Products of type `dtype`, all else and the parameters float32.
  static LayerCase lstm_case(int64_t width, at::ScalarType dtype) {
    constexpr int64_t kReplicas = 2, kSteps = 3, kRows = 2;
    return {"lstm",
            {{kReplicas, kSteps, kRows, width}},
            {{kReplicas, width, 4 * width}, {kReplicas, width, 4 * width}, {kReplicas, 4 * width}},
            [=](const Tensors& x, const std::vector<Parameter>& p, const Execution& how) {
              return lstm_layer(x[0], {p[0], p[1], p[2]}, {dtype, how.plain_operators})
                  .to(x[0].scalar_type());
            }};
  }

 protected:
  DeviceKernels counting_;
};

// As layers_test.cpp asks of narrow ones.
TEST_F(LstmWays, NarrowLayersTakeOneLaunchEachWayWideOnesOneAStep) {
  for (const int64_t width : {kMaxPersistentLstmWidth, kMaxPersistentLstmWidth + 1}) {
    const bool wide = width > kMaxPersistentLstmWidth;
    launches_of_steps = launches_of_all = 0;
    const LayerCase layer = lstm_case(width, at::kFloat);
    const Evaluated ours = evaluate(layer, at::kFloat, false);
    EXPECT_EQ(launches_of_all, wide ? 0 : 2);
    EXPECT_EQ(launches_of_steps, wide ? 2 * 3 : 0);
    const Evaluated exact = evaluate(lstm_case(width, at::kDouble), at::kDouble, true);
    const Evaluated twin = evaluate(layer, at::kFloat, true);
    expect_error_of_twin(layer, ours, twin, exact);
  }
}

// Of a GPU whose blocks share less.
TEST_F(LstmWays, BothWaysGiveTheSameWhereBothCan) {
  for (const int64_t width : {1, 20}) {
    const Evaluated at_once = evaluate(lstm_case(width, at::kFloat), at::kFloat, false);
    const int before = launches_of_steps;
    counting_.widest_persistent_lstm = [] { return int64_t{0}; };
    const Evaluated by_steps = evaluate(lstm_case(width, at::kFloat), at::kFloat, false);
    counting_.widest_persistent_lstm = installed->widest_persistent_lstm;
    EXPECT_EQ(launches_of_steps - before, 2 * 3);
    for (size_t i = 0; i < at_once.values.size(); ++i) {
      EXPECT_LT(largest(at_once.values[i] - by_steps.values[i]),
                3e-6 * (1 + largest(by_steps.values[i])));
    }
  }
}

// The twin is all bf16.
TEST_F(LstmWays, BFloat16ErrorIsThatOfTheTwinEitherWay) {
  for (const int64_t width : {int64_t{56}, kMaxPersistentLstmWidth + 1}) {
    const Evaluated exact = evaluate(lstm_case(width, at::kDouble), at::kDouble, true);
    const LayerCase layer = lstm_case(width, at::kBFloat16);
    const Evaluated ours = evaluate(layer, at::kFloat, false);
    const Evaluated twin = evaluate(layer, at::kFloat, true);
    for (size_t i = 0; i < twin.values.size(); ++i) {
      const double twin_error = largest(twin.values[i] - exact.values[i]);
      EXPECT_LE(largest(ours.values[i] - exact.values[i]), 2 * twin_error) << described(layer, i);
    }
  }
}

}  // namespace
}  // namespace scalelaw
