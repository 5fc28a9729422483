// A small model of each architecture with a test split, for tests of evaluations.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/evaluate.h"

namespace scalelaw {

inline constexpr int64_t kReplicas = 2, kContext = 8,
                         kTokens = 600;  // 75 windows: more than a chunk

class EvaluateTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    write_tiny_data_set(temp_.path());  // two bytes of text a token
    ModelShape shape;
    shape.arch = GetParam();
    shape.d_model = 16;
    shape.n_head = 2;
    shape.n_ctx = kContext;
    shape.n_vocab = 17;
    model_ = make_model(shape, {}, arena_);
    arena_.allocate(kReplicas, device_);
    for (int64_t r = 0; r < kReplicas; ++r) arena_.initialise(r, 1 + r);
    set_ = std::make_unique<TestSet>(
        TestSet{"tiny", TokenShard(temp_.path() / "tiny" / "test.tokens"), kTokens});
  }
  Evaluator evaluator(RankGroup& ranks) { return {*model_, kReplicas, device_, ranks}; }

  at::Device device_{at::kCPU};
  TempDir temp_;
  ParameterArena arena_;
  std::unique_ptr<LanguageModel> model_;
  std::unique_ptr<TestSet> set_;
};

inline void expect_equal(const std::vector<WindowScores>& a, const std::vector<WindowScores>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t r = 0; r < a.size(); ++r) {
    EXPECT_EQ(a[r].window_loss_nats, b[r].window_loss_nats);
    EXPECT_EQ(a[r].result.loss_nats, b[r].result.loss_nats);
    EXPECT_EQ(a[r].result.standard_error_nats, b[r].result.standard_error_nats);
    EXPECT_EQ(a[r].result.top1_accuracy, b[r].result.top1_accuracy);
    ASSERT_EQ(a[r].result.by_position.size(), b[r].result.by_position.size());
    for (std::size_t i = 0; i < a[r].result.by_position.size(); ++i) {
      EXPECT_EQ(a[r].result.by_position[i].loss_nats, b[r].result.by_position[i].loss_nats);
    }
  }
}

}  // namespace scalelaw
