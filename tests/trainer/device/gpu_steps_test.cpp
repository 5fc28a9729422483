// Steps and evaluations on a GPU, as CUDA graphs too, against the same reference as the CPU's. They
// skip where there is no GPU.
#include "models/kernels/device_kernels.h"
#include "tests/trainer/evaluate_fixture.h"
#include "tests/trainer/golden_training.h"
#include "trainer/device.h"
#include "trainer/kernel_library.h"

namespace scalelaw {
namespace {

// "" with the GPU's kernels installed, or why the test is to be skipped.
std::string open_gpu() {
  const GpuAccess access = this_machine();
  if (!access.probe.present() || !access.probe.hidden_by.empty()) return "no GPU is here";
  const at::Device device = choose_device("cuda", access);
  EXPECT_EQ(missing_kernels(device), "");
  return "";
}

class GpuSteps : public GoldenTraining {
 protected:
  void SetUp() override {
    if (const std::string reason = open_gpu(); !reason.empty()) GTEST_SKIP() << reason;
  }
  void TearDown() override { install_device_kernels(nullptr); }

  // Eager, without a look of the host and as a graph, of one replica and of the second of three.
  void expect_all_follow(at::ScalarType dtype, const Distance& bound) const {
    Way way;
    way.device = at::Device(at::kCUDA, 0);
    const Distance plain_distance = plain(dtype, bound, way);
    way.execution.compute_dtype = dtype;
    for (const int64_t replicas : {1, 3}) {
      way.replicas = replicas;
      way.replica = replicas / 2;
      way.on_device = way.as_graph = false;
      expect_as_near_as_plain(train(way), plain_distance);
      way.on_device = true;
      expect_as_near_as_plain(train(way), plain_distance);
      way.as_graph = true;
      expect_as_near_as_plain(train(way), plain_distance);
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Architectures, GpuSteps, testing::Values("transformer", "lstm"));

TEST_P(GpuSteps, InFloat32FollowTheReferenceCapturedToo) {
  expect_all_follow(at::kFloat, {1e-5, 5e-5});
}

TEST_P(GpuSteps, InBFloat16FollowTheReferenceCapturedToo) {
  expect_all_follow(at::kBFloat16, {0.003, 0.03});
}

// Captured as a graph of their own, between the steps' graphs.
TEST_P(GpuSteps, NormsOfSmallBatchesAreTheEagerStepsAndTheStepsThoseWithout) {
  Way way;
  way.device = at::Device(at::kCUDA, 0);
  way.replicas = 3;
  way.replica = 1;
  way.small_batches = true;
  const Curve eager = train(way);
  ASSERT_EQ(eager.small_batch_grad_norm.size(), static_cast<std::size_t>(steps() / 3));
  way.on_device = true;
  for (const bool captured : {false, true}) {
    way.as_graph = captured;
    const Curve seen = train(way);
    ASSERT_EQ(seen.small_batch_grad_norm.size(), eager.small_batch_grad_norm.size());
    for (std::size_t i = 0; i < seen.small_batch_grad_norm.size(); ++i) {
      const double expected = eager.small_batch_grad_norm[i];
      EXPECT_NEAR(seen.small_batch_grad_norm[i], expected, 1e-4 * expected) << captured;
    }
    Way without = way;
    without.small_batches = false;
    const Curve plain = train(without);
    for (std::size_t k = 0; k < plain.loss_nats.size(); ++k) {
      EXPECT_NEAR(seen.loss_nats[k], plain.loss_nats[k], 1e-5 * plain.loss_nats[k]) << captured;
    }
  }
}

class GpuEvaluation : public EvaluateTest {
 protected:
  void SetUp() override {
    if (const std::string reason = open_gpu(); !reason.empty()) GTEST_SKIP() << reason;
    device_ = at::Device(at::kCUDA, 0);
    EvaluateTest::SetUp();
  }
  void TearDown() override { install_device_kernels(nullptr); }
};
INSTANTIATE_TEST_SUITE_P(Architectures, GpuEvaluation, testing::Values("transformer", "lstm"));

TEST_P(GpuEvaluation, CapturedOrNotScoresAreTheHosts) {
  const auto one = alone();
  const std::vector<double> asked = mean_test_loss(evaluator(*one), *set_, kTokens);
  const auto scores = make_device_scores(evaluator(*one), *set_, kTokens);
  Evaluator there = evaluator(*one);
  there.on_device = scores.get();
  for (const bool captured : {false, true}) {
    if (captured) {
      EXPECT_EQ(scores->capture(), "");
    }
    for (int again = 0; again < 2; ++again) {
      const std::vector<double> seen = mean_test_loss(there, *set_, kTokens);
      ASSERT_EQ(seen.size(), asked.size());
      for (std::size_t r = 0; r < seen.size(); ++r) EXPECT_NEAR(seen[r], asked[r], 1e-5);
    }
  }
}

}  // namespace
}  // namespace scalelaw
