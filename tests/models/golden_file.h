// The golden files of tests/golden/models/make_references.py.
#pragma once

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "models/model_shape.h"
#include "trainer/safetensors.h"

namespace scalelaw {

// tests/golden of the source, or the copy of it that SCALELAW_GOLDEN names.
inline std::filesystem::path golden_folder() {
  const char* copy = std::getenv("SCALELAW_GOLDEN");
  return copy != nullptr ? copy : SCALELAW_SOURCE_DIR "/tests/golden";
}

inline at::Tensor tensor(const SafetensorsFile& file, const std::string& name) {
  const SafetensorView& view = file.at(name);
  const at::ScalarType dtype = view.dtype == "I64"   ? at::kLong
                               : view.dtype == "F64" ? at::kDouble
                                                     : at::kFloat;
  const at::Tensor result = at::empty(view.shape, dtype);
  EXPECT_EQ(result.nbytes(), view.bytes.size()) << name << " is " << view.dtype;
  std::copy(view.bytes.begin(), view.bytes.end(), static_cast<std::byte*>(result.data_ptr()));
  return result;
}

inline ModelShape shape_of(const SafetensorsFile& file) {
  const auto& field = file.metadata();
  ModelShape shape;
  shape.arch = field.at("arch");
  shape.n_layer = std::stoll(field.at("n_layer"));
  shape.d_model = std::stoll(field.at("d_model"));
  shape.d_ff_ratio = std::stod(field.at("d_ff_ratio"));
  shape.n_head = std::stoll(field.at("n_head"));
  shape.n_ctx = std::stoll(field.at("n_ctx"));
  shape.n_vocab = std::stoll(field.at("n_vocab"));
  shape.position =
      field.at("position") == "learned" ? PositionEncoding::kLearned : PositionEncoding::kRotary;
  shape.embeddings =
      field.at("embeddings") == "tied" ? EmbeddingTying::kTied : EmbeddingTying::kUntied;
  shape.bias = field.at("bias") == "true";
  return shape;
}

}  // namespace scalelaw
