// A model as it lies on disk: in the folder of a run, or in a folder of its own (docs/models.md).
// No LibTorch.
//
// A folder of its own holds
//   config.yaml        the shape, as a configuration that `scalelaw train` takes
//   model.safetensors  the weights under a checkpoint's names: "model." + parameter, F32; the
//                      metadata say which ids stand before and behind a text, where that is known
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "models/model_shape.h"
#include "trainer/checkpoint_files.h"
#include "trainer/run_config.h"
#include "trainer/safetensors.h"

namespace scalelaw {

inline constexpr const char* kModelFile = "model.safetensors";

// Ids of a model's vocabulary that stand before and behind a text; nullopt: not known.
struct TextMarks {
  std::optional<int64_t> before, behind;
  bool operator==(const TextMarks&) const = default;
};

struct ModelFiles {
  RunConfig config;                 // of a model alone, its keys outside `model.` mean nothing
  ModelShape shape;                 // canonical(config.model), n_vocab that of the weights
  std::filesystem::path file;       // of the weights
  SafetensorsFile weights;          // a run's may hold its optimizer besides
  std::optional<int64_t> run_step;  // updates behind a run's weights; nullopt: a model alone
  std::string content_hash;         // of the run; empty: a model alone
  TextMarks marks;                  // of a model alone
};

// Of a run the newest checkpoint. ConfigError: no such folder, neither a run's nor a model's, no
// weights yet or any more, a damaged file (each says what to do); std::runtime_error: the disk.
ModelFiles open_model(const std::filesystem::path& folder);

// Fills a folder of its own, which is there; `comment` heads config.yaml, a line of its own each.
void write_model(const std::filesystem::path& folder, const ModelShape& shape,
                 const std::map<std::string, SafetensorView>& tensors, const std::string& comment,
                 const TextMarks& marks = {});

}  // namespace scalelaw
