// `scalelaw model export hf` and `import hf`: a run or a model to a folder that Hugging Face's
// transformers loads, and a GPT-2 of that form to a model (trainer/model_files.h). docs/models.md.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace scalelaw {

struct ExportOptions {
  std::filesystem::path model;          // a run's folder, or a model's
  std::filesystem::path folder;         // what is made: new, or empty
  std::filesystem::path data = "data";  // where the run's train set lies, for its tokenizer
};

// Makes config.json, model.safetensors, README.md and, where the train set is at hand and has one,
// the tokenizer's file. Returns lines for the user: what was written, and what of the tokenizer was
// not. ConfigError: no GPT-2's shape (names every key that does not fit), weights that are not the
// configuration's, a folder that has files; nothing is left behind then.
std::vector<std::string> export_hugging_face(const ExportOptions& options);

struct ModelImportOptions {
  std::filesystem::path source;  // config.json and model.safetensors
  std::filesystem::path folder;  // what is made: new, or empty
};

// F32, BF16 and F16 become float32, none of them rounded. Tensor names with and without their
// "transformer." are read; masks that old files carry are left out. ConfigError names the file, the
// key or the tensor, and the rule.
std::vector<std::string> import_hugging_face(const ModelImportOptions& options);

}  // namespace scalelaw
