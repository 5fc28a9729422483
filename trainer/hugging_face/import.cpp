#include <algorithm>
#include <cstring>
#include <set>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/hugging_face/exchange.h"
#include "trainer/hugging_face/gpt2.h"
#include "trainer/hugging_face/tensor_floats.h"
#include "trainer/model_files.h"
#include "trainer/new_folder.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTrunk = "transformer.";  // left out where GPT2Model was saved alone

void require_files(const fs::path& source) {
  if (!fs::is_directory(source)) throw ConfigError(source.string() + ": no such folder");
  if (!fs::exists(source / "config.json")) {
    throw ConfigError(source.string() + ": is no Hugging Face model: no config.json");
  }
  if (fs::exists(source / kModelFile)) return;
  const std::string lacks = source.string() + ": no model.safetensors";
  if (fs::exists(source / "model.safetensors.index.json")) {
    throw ConfigError(lacks +
                      ", its weights are in several files; save it in one: "
                      "model.save_pretrained(DIR, max_shard_size=\"1TB\")");
  }
  throw ConfigError(lacks + "; save it again with transformers: model.save_pretrained(DIR)");
}

SafetensorsFile read_weights(const fs::path& file) {
  try {
    return SafetensorsFile(file);
  } catch (const DamagedFile& error) {
    throw ConfigError(error.what());
  }
}

std::string size_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  }
  return text + "]";
}

class Weights {
 public:
  explicit Weights(const fs::path& path) : path_(path), file_(read_weights(path)) {
    bare_ = !file_.tensors().contains("transformer.wte.weight");
  }

  // The tensor of their name, checked.
  const SafetensorView& take(const std::string& theirs, const std::vector<int64_t>& shape) {
    const bool of_trunk = theirs.starts_with(kTrunk);
    const std::string name = bare_ && of_trunk ? theirs.substr(kTrunk.size()) : theirs;
    const auto found = file_.tensors().find(name);
    if (found == file_.tensors().end()) {
      refuse(name, "is not there, and config.json tells of it");
    }
    const SafetensorView& tensor = found->second;
    if (!has_floats(tensor)) refuse(name, "is " + tensor.dtype + ": must be F32, BF16 or F16");
    if (tensor.shape != shape) {
      refuse(name,
             "is " + size_text(tensor.shape) + ": by config.json it must be " + size_text(shape));
    }
    taken_.insert(name);
    return tensor;
  }

  // A tied head may be stored once more.
  void check_tied_head(const Gpt2Tensor& embedding) {
    if (!file_.tensors().contains("lm_head.weight")) return;
    if (floats(take("lm_head.weight", embedding.shape)) ==
        floats(take(embedding.theirs, embedding.shape))) {
      return;
    }
    refuse("lm_head.weight",
           "differs from the embedding, and config.json says that they are tied; set "
           "tie_word_embeddings to false there");
  }

  // Old files hold each layer's causal mask.
  void leave_masks(int64_t n_layer) {
    const std::string trunk(bare_ ? "" : kTrunk);
    for (int64_t i = 0; i < n_layer; ++i) {
      const std::string attention = trunk + "h." + std::to_string(i) + ".attn.";
      taken_.insert({attention + "bias", attention + "masked_bias"});
    }
  }

  void check_nothing_left() const {
    for (const auto& [name, tensor] : file_.tensors()) {
      if (!taken_.contains(name)) {
        refuse(name, "is no part of a GPT2LMHeadModel of config.json's shape");
      }
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& name, const std::string& why) const {
    throw ConfigError(path_.string() + ": tensor " + name + " " + why);
  }

  fs::path path_;
  SafetensorsFile file_;
  bool bare_ = false;
  std::set<std::string> taken_;
};

}  // namespace

std::vector<std::string> import_hugging_face(const ModelImportOptions& options) {
  require_files(options.source);
  const ModelShape shape = gpt2_shape(options.source / "config.json");
  Weights weights(options.source / kModelFile);
  const std::vector<Gpt2Tensor> names = gpt2_tensors(shape);
  std::vector<std::vector<float>> values;
  std::map<std::string, SafetensorView> tensors;
  for (const Gpt2Tensor& name : names) {
    std::vector<int64_t> theirs = name.shape;
    if (name.transposed) std::ranges::reverse(theirs);
    values.push_back(floats(weights.take(name.theirs, theirs)));
    if (name.transposed) values.back() = transposed(values.back(), theirs[0], theirs[1]);
    tensors[kWeightPrefix + name.ours] = {"F32", name.shape,
                                          std::as_bytes(std::span(values.back()))};
  }
  if (shape.embeddings == EmbeddingTying::kTied) weights.check_tied_head(names.front());
  weights.leave_masks(shape.n_layer);
  weights.check_nothing_left();

  NewFolder folder(options.folder);
  write_model(folder.draft(), shape, tensors,
              "# The shape of a model that `scalelaw model import hf` made; its weights are in\n"
              "# model.safetensors. `scalelaw train` with this file starts from fresh weights.\n",
              gpt2_marks(options.source / "config.json", shape.n_vocab));
  folder.publish();
  return {options.folder.string() + ": " + std::to_string(shape.n_layer) + " layers of width " +
          std::to_string(shape.d_model) + ", vocabulary " + std::to_string(shape.n_vocab) + ", " +
          human(static_cast<double>(count(shape)->parameters.total())) + " parameters"};
}

}  // namespace scalelaw
