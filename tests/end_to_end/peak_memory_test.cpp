// The estimate of a step's memory against the peak of a process that takes such steps.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/program.h"

namespace scalelaw {
namespace {

struct Memory {
  double peak = 0, estimate = 0;
};

Memory bench(const std::vector<std::string>& options) {
  std::vector<std::string> words = {"scalelaw-train", "bench", "--json", "--steps", "1",
                                    "--warmup",       "2"};
  words.insert(words.end(), options.begin(), options.end());
  const ProgramResult result = run_program(words);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  const auto json = nlohmann::json::parse(result.output);
  return {json["peak_memory_bytes"], json["estimated_memory_bytes"]};
}

// What is held beyond what a small step holds, whose kernels are loaded. Activations dominate.
TEST(PeakMemory, OfAProcessIsWhatTheEstimateSays) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer has a heap of its own";
#endif
  for (const std::string precision : {"fp32", "bf16"}) {
    const std::vector<std::string> as = {"--precision", precision};
    const auto with = [&](std::vector<std::string> words) {
      words.insert(words.end(), as.begin(), as.end());
      return words;
    };
    const Memory little = bench(with({"--layers", "1", "--width", "64", "--heads", "1", "--context",
                                      "64", "--batch", "2", "--vocab", "64"}));
    for (std::vector<std::string> shape : std::vector<std::vector<std::string>>{
             {"--layers", "6", "--width", "128", "--heads", "2", "--context", "128", "--batch",
              "32", "--vocab", "1024"},
             {"--arch", "lstm", "--layers", "6", "--width", "128", "--context", "128", "--batch",
              "32", "--vocab", "1024"},
             {"--layers", "12", "--width", "128", "--heads", "2", "--context", "128", "--batch",
              "32", "--vocab", "256", "--recompute"}}) {
      const Memory step = bench(with(shape));
      const double ratio = (step.estimate - little.estimate) / (step.peak - little.peak);
      EXPECT_GT(ratio, 0.95) << precision << " " << shape[1] << ": " << step.peak;
      EXPECT_LT(ratio, 1.15) << precision << " " << shape[1] << ": " << step.peak;
    }
  }
}

}  // namespace
}  // namespace scalelaw
