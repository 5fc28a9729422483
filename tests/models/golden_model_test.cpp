// Logits, loss and gradients against a plain torch.nn implementation in Python with the same
// weights: tests/golden/models/make_references.py writes the files.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/models/golden_file.h"
#include "tests/models/model_fixture.h"

namespace scalelaw {
namespace {

std::vector<std::string> golden_files() {
  std::vector<std::string> names;
  const std::filesystem::path folder = golden_folder() / "models";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Two float32 evaluations in different orders: a few hundred roundings of the largest entry.
void expect_close(const at::Tensor& actual, const at::Tensor& expected, const std::string& what) {
  EXPECT_LT(largest(actual - expected), 2e-5 * (largest(expected) + 1e-3)) << what;
}

class GoldenModel : public testing::TestWithParam<std::string> {};

TEST_P(GoldenModel, EqualsPlainPythonWithTheSameWeights) {
  const SafetensorsFile file(golden_folder() / "models" / (GetParam() + ".safetensors"));
  for (const bool plain_operators : {false, true}) {
    const BuiltModel built = build(shape_of(file), 1, 1, {at::kFloat, plain_operators});
    size_t n_weights = 0;
    for (const auto& [name, view] : file.tensors()) n_weights += name.starts_with("weight.");
    ASSERT_EQ(n_weights, built.arena->specs().size());
    for (const ParameterSpec& spec : built.arena->specs()) {
      const at::Tensor weight = tensor(file, "weight." + spec.name);
      ASSERT_EQ(weight.sizes(), spec.shape) << spec.name;
      built.arena->values()[0].narrow(0, spec.offset, spec.numel).copy_(weight.flatten());
    }
    const Windows windows = {tensor(file, "tokens").unsqueeze(0),
                             tensor(file, "targets").unsqueeze(0)};
    const at::Tensor loss = train_step(built, windows);
    expect_close(loss, tensor(file, "loss"), "loss");
    expect_close(built.model->logits(windows.tokens)[0].detach(), tensor(file, "logits"), "logits");
    for (const ParameterSpec& spec : built.arena->specs()) {
      expect_close(built.arena->gradients()[0].narrow(0, spec.offset, spec.numel),
                   tensor(file, "gradient." + spec.name).flatten(), spec.name);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenModel, testing::ValuesIn(golden_files()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace scalelaw
