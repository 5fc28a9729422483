// A checkpoint of a real run, opened by Python's own safetensors.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// Last element too, so that a wrong offset or order shows.
constexpr const char* kDescribe = R"(
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], framework="np") as file:
    tensors = {name: file.get_tensor(name) for name in file.keys()}
    print(json.dumps({
        "metadata": file.metadata(),
        "tensors": {name: {"shape": list(t.shape), "dtype": str(t.dtype),
                           "first": float(t.flat[0]), "last": float(t.flat[-1])}
                    for name, t in tensors.items()}}))
)";

float float_at(const SafetensorView& tensor, std::size_t index) {
  float value = 0;
  std::memcpy(&value, tensor.bytes.data() + index * sizeof value, sizeof value);
  return value;
}

TEST(PythonCheckpoint, SafetensorsOpensWhatATrainingRunSaved) {
  const std::string python = std::string(SCALELAW_SOURCE_DIR) + "/.venv/bin/python";
  if (!fs::exists(python) ||
      run_program({python, "-c", "import safetensors, numpy"}).exit_code != 0) {
    GTEST_SKIP() << python << " has no safetensors and numpy (scripts/setup.sh --checks)";
  }
  const TempDir temp;
  write_tiny_data_set(temp.path() / "data");
  std::ofstream(temp.path() / "run.yaml")
      << "spec: 1\ndata: {train: tiny, test: {tiny: 512}}\nhorizon: {tokens: 640}\n"
         "model: {n_layer: 1, d_model: 32, n_head: 2, n_ctx: 16}\ntrain: {batch_tokens: 64}\n"
         "evaluate: {tokens: 64}\n";
  const ProgramResult run =
      run_program({"scalelaw-train", "train", (temp.path() / "run.yaml").string(), "--runs",
                   (temp.path() / "runs").string(), "--data", (temp.path() / "data").string(),
                   "--device", "cpu", "--threads", "1"});
  ASSERT_EQ(run.exit_code, 0) << run.output;
  const fs::path folder = *fs::directory_iterator(temp.path() / "runs");
  const fs::path checkpoint = *fs::directory_iterator(folder / "checkpoints");

  const ProgramResult seen = run_program({python, "-c", kDescribe, checkpoint.string()});
  ASSERT_EQ(seen.exit_code, 0) << seen.output;
  const auto json = nlohmann::json::parse(seen.output);
  const SafetensorsFile ours(checkpoint);
  EXPECT_EQ(json.at("metadata"), nlohmann::json(ours.metadata()));
  ASSERT_EQ(json.at("tensors").size(), ours.tensors().size());
  EXPECT_TRUE(ours.tensors().contains("model.blocks.0.attention.qkv.weight"));
  for (const auto& [name, tensor] : ours.tensors()) {
    const auto& theirs = json.at("tensors").at(name);
    EXPECT_EQ(theirs.at("shape"), nlohmann::json(tensor.shape)) << name;
    ASSERT_EQ(tensor.dtype, "F32") << name;
    EXPECT_EQ(theirs.at("dtype"), "float32") << name;
    EXPECT_EQ(theirs.at("first").get<float>(), float_at(tensor, 0)) << name;
    EXPECT_EQ(theirs.at("last").get<float>(), float_at(tensor, tensor.bytes.size() / 4 - 1))
        << name;
  }
}

}  // namespace
}  // namespace scalelaw
