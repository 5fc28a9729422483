#include <ATen/ops/empty.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"
#include "trainer/heap.h"
#include "trainer/instruments/bench.h"
#include "trainer/instruments/profile.h"

namespace scalelaw {
namespace {

RehearsalOptions small(const std::string& arch) {
  RehearsalOptions options;
  options.shape.arch = arch;
  options.shape.n_layer = 3;
  options.shape.d_model = 16;
  options.shape.n_head = 2;
  options.shape.n_ctx = 16;
  options.shape.n_vocab = 32;
  options.batch_windows = 4;
  return options;
}

const OperatorTime& operator_named(const Profile& profile, const std::string& name) {
  const auto found = std::find_if(profile.operators.begin(), profile.operators.end(),
                                  [&](const OperatorTime& one) { return one.name == name; });
  if (found == profile.operators.end()) throw std::runtime_error("no operator " + name);
  return *found;
}

TEST(Rehearsal, ModelLearnsTheFrequenciesOfItsTokens) {
  Rehearsal rehearsal(small("transformer"));
  const double first = rehearsal.step();
  double last = first;
  for (int step = 0; step < 60; ++step) last = rehearsal.step();
  EXPECT_LT(last, first);
  EXPECT_EQ(rehearsal.tokens_a_step(), 64);
  EXPECT_GT(rehearsal.flops_a_step(), 64.0 * 6 * 3 * 12 * 16 * 16);  // above 6 N
}

TEST(Bench, RatesAreThoseOfTheMedianStep) {
  Rehearsal rehearsal(small("lstm"));
  const BenchResult result = run_bench(rehearsal, {.warmup_steps = 2, .steps = 5});
  EXPECT_GT(result.step_cpu_seconds, 0);
  EXPECT_GT(result.start_cpu_seconds, 0);
  EXPECT_DOUBLE_EQ(result.tokens_per_second * result.step_wall_seconds, 64);
  EXPECT_DOUBLE_EQ(result.flops_per_second * result.step_wall_seconds, rehearsal.flops_a_step());
  EXPECT_GT(result.ceiling_flops_per_second, result.flops_per_second);
  EXPECT_GT(result.peak_memory_bytes, 12 << 20);  // three matrices of the ceiling's product
}

TEST(Bench, TellsTheShareOfThePeakItWasGiven) {
  Rehearsal rehearsal(small("transformer"));
  BenchResult result = run_bench(
      rehearsal, {.warmup_steps = 1, .steps = 1, .seconds = 0, .peak_flops_per_second = 2e12});
  EXPECT_EQ(result.peak_flops_per_second, 2e12);
  result.flops_per_second = 5e11;
  const std::string text = to_text(rehearsal.options(), result);
  EXPECT_NE(text.find("25.0% of the device's peak, 2.0 TFLOP/s as given"), std::string::npos)
      << text;
  result.peak_flops_per_second = 0;
  EXPECT_EQ(to_text(rehearsal.options(), result).find("peak,"), std::string::npos);
}

TEST(Profile, StepsOnTheDeviceAreTakenAsManyAtOnceAsTheyAreTimed) {
  RehearsalOptions options = small("transformer");
  options.step = StepKind::kDevice;
  Rehearsal rehearsal(options);
  const Profile profile = profile_steps(rehearsal, {.warmup_steps = 0, .steps = 3, .trace = {}});
  EXPECT_GT(rehearsal.steps_at_once(), 3);
  EXPECT_DOUBLE_EQ(operator_named(profile, "linear").calls_a_step, 12);
}

TEST(Bench, TimesForAsLongAsItIsAskedOnceItsCallerIsReady) {
  Rehearsal rehearsal(small("transformer"));
  BenchOptions options{.warmup_steps = 2, .steps = 1, .seconds = 0.2};
  int calls = 0;
  options.warmed_up = [&] { ++calls; };
  const BenchResult result = run_bench(rehearsal, options);
  EXPECT_EQ(calls, 1);
  EXPECT_GT(result.steps, 1);
  EXPECT_EQ(run_bench(rehearsal, {.warmup_steps = 0, .steps = 3}).steps, 3);
}

// One step in three takes half as long again: a median would not tell.
TEST(Bench, StepsThatMeasureTheNoiseScaleCountByTheirShare) {
  RehearsalOptions options = small("transformer");
  options.batch_windows = 2;
  options.noise_scale_every = 3;
  Rehearsal rehearsal(options);
  const BenchResult result = run_bench(rehearsal, {.warmup_steps = 2, .steps = 5, .seconds = 0.3});
  EXPECT_EQ(result.steps % 3, 0);
  EXPECT_GT(static_cast<double>(result.steps) * result.step_wall_seconds, 0.95 * 0.3);
  const auto json = nlohmann::json::parse(to_json_line(options, result));
  EXPECT_EQ(json.at("noise_scale_every"), 3);
  EXPECT_EQ(json.at("step_wall_seconds_mean"), result.step_wall_seconds);
  EXPECT_FALSE(json.contains("step_wall_seconds_median"));
  EXPECT_NE(to_text(options, result).find("the noise scale measured at one in 3"),
            std::string::npos);
  options.noise_scale_every = 0;
  EXPECT_TRUE(
      nlohmann::json::parse(to_json_line(options, result)).contains("step_wall_seconds_median"));
  EXPECT_EQ(to_text(options, result).find("noise"), std::string::npos);
}

// Steps of a few megabytes: without it glibc gives their largest blocks back at every step.
TEST(Bench, StepsTakeTheMemoryOfTheStepsBefore) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer has a heap of its own";
#endif
  keep_freed_memory();
  RehearsalOptions options = small("transformer");
  options.shape.d_model = 64;
  options.shape.n_ctx = 128;
  options.batch_windows = 16;
  Rehearsal rehearsal(options);
  const BenchResult result = run_bench(rehearsal, {.warmup_steps = 10, .steps = 20});
  EXPECT_LT(result.page_faults_a_step, 50);  // 630 without

  options.shape.n_layer = 2;
  options.shape.d_model = 32;
  options.shape.n_ctx = 64;
  options.shape.n_vocab = 256;
  options.replicas = 8;
  Rehearsal pack(options);
  const BenchResult of_pack = run_bench(pack, {.warmup_steps = 5, .steps = 10});
  EXPECT_LT(of_pack.page_faults_a_step, 50);  // 2,800 where an eighth of the peak alone is kept
}

TEST(Heap, WhatIsKeptIsGivenBackWhereMemoryDoesNotSuffice) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer has a heap of its own";
#endif
  keep_freed_memory();
  constexpr int64_t kFloatsAMebibyte = 1 << 18;
  at::empty({64 * kFloatsAMebibyte});
  int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE) + (5 << 20));
  std::vector<at::Tensor> small_ones;  // LibTorch's own allocator has them
  small_ones.reserve(1000);
  bool large_found_room = true, small_found_room = true;
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  try {
    at::empty({65 * kFloatsAMebibyte});
  } catch (const std::exception&) {
    large_found_room = false;
  }
  try {
    for (int i = 0; i < 1000; ++i) small_ones.push_back(at::empty({kFloatsAMebibyte / 32}));
  } catch (const std::exception&) {
    small_found_room = false;
  }
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_TRUE(large_found_room);
  EXPECT_TRUE(small_found_room) << small_ones.size();
}

TEST(Heap, WhatIsKeptStaysWhereTheCLibraryHasRoom) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer has a heap of its own";
#endif
  keep_freed_memory();
  constexpr int64_t kFloatsAMebibyte = 1 << 18;
  at::Tensor first = at::empty({13 * kFloatsAMebibyte});
  void* const kept = first.data_ptr();
  void* volatile on_heap = malloc(8 << 20);
  free(on_heap);  // and stays on its heap
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = 0;
  first.reset();
  at::Tensor unlike, again;
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  try {
    unlike = at::empty({3 * kFloatsAMebibyte});
    again = at::empty({13 * kFloatsAMebibyte});
  } catch (const std::exception&) {
  }
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_TRUE(unlike.defined());
  ASSERT_TRUE(again.defined());
  EXPECT_EQ(again.data_ptr(), kept);
}

TEST(Bench, StepsOnTheDeviceAreTimedByTheWindow) {
  RehearsalOptions options = small("transformer");
  options.step = StepKind::kDevice;
  Rehearsal rehearsal(options);
  const int64_t at_once = rehearsal.steps_at_once();
  EXPECT_GT(at_once, 1);
  const BenchResult result = run_bench(rehearsal, {.warmup_steps = 1, .steps = 2 * at_once});
  EXPECT_DOUBLE_EQ(result.tokens_per_second * result.step_wall_seconds, 64);
  EXPECT_GT(rehearsal.launch_share(), 0);
  EXPECT_LE(rehearsal.launch_share(), 1);
  EXPECT_LT(result.final_loss_nats, Rehearsal(options).steps(1));
  options.step = StepKind::kGraph;
  EXPECT_THROW(Rehearsal{options}, ConfigError);
}

TEST(Profile, EveryOperatorIsCountedAndTimesAddUp) {
  Rehearsal rehearsal(small("transformer"));
  const Profile profile = profile_steps(rehearsal, {.warmup_steps = 1, .steps = 4, .trace = {}});
  EXPECT_DOUBLE_EQ(operator_named(profile, "linear").calls_a_step, 12);  // four a layer
  EXPECT_DOUBLE_EQ(operator_named(profile, "LinearFunction (backward)").calls_a_step, 12);
  EXPECT_DOUBLE_EQ(operator_named(profile, "attention").calls_a_step, 3);
  EXPECT_DOUBLE_EQ(operator_named(profile, "adamw").calls_a_step, 1);
  double sum = 0;
  for (const OperatorTime& one : profile.operators) {
    EXPECT_GE(one.self_seconds_a_step, 0) << one.name;
    EXPECT_FALSE(one.on_device);
    sum += one.self_seconds_a_step;
  }
  EXPECT_NEAR(sum, profile.host_seconds, 1e-9);
  EXPECT_LT(sum, profile.step_seconds);
  EXPECT_TRUE(std::is_sorted(profile.operators.begin(), profile.operators.end(),
                             [](const OperatorTime& a, const OperatorTime& b) {
                               return a.self_seconds_a_step > b.self_seconds_a_step;
                             }));
}

TEST(Profile, TraceOpensAsAChromeTrace) {
  const TempDir folder;
  const auto trace = folder.path() / "trace.json";
  Rehearsal rehearsal(small("transformer"));
  profile_steps(rehearsal, {.warmup_steps = 1, .steps = 1, .trace = trace});
  std::set<std::string> names;
  const auto written = nlohmann::json::parse(std::ifstream(trace));
  for (const auto& event : written.at("traceEvents")) {
    names.insert(event.value("name", ""));
  }
  EXPECT_TRUE(names.contains("attention"));
  EXPECT_TRUE(names.contains("aten::linalg_vector_norm"));
}

TEST(Profile, TableNamesTheCostliestAndSumsTheRest) {
  Profile profile;
  profile.step_seconds = 10e-3;
  profile.host_seconds = 8e-3;
  profile.operators = {
      {"linear", false, 8, 5e-3}, {"norm", false, 2, 2e-3}, {"embed", false, 1, 1e-3}};
  const std::string text = to_text(profile, 1);
  EXPECT_NE(text.find("50.0%"), std::string::npos) << text;
  EXPECT_EQ(text.find("norm"), std::string::npos) << text;
  EXPECT_NE(text.find("everything else"), std::string::npos) << text;
  EXPECT_NE(text.find("30.0%"), std::string::npos) << text;
  EXPECT_NE(text.find("between operators"), std::string::npos) << text;
}

}  // namespace
}  // namespace scalelaw
