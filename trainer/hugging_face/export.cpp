#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/builder.h"
#include "trainer/data/data_set.h"
#include "trainer/data/import_manifest.h"
#include "trainer/hugging_face/exchange.h"
#include "trainer/hugging_face/gpt2.h"
#include "trainer/hugging_face/tensor_floats.h"
#include "trainer/model_files.h"
#include "trainer/new_folder.h"
#include "trainer/number.h"
#include "trainer/run_identity.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

void require_gpt2(const fs::path& folder, const ModelShape& shape) {
  std::string reasons;
  for (const std::string& reason : why_not_gpt2(shape)) {
    reasons += (reasons.empty() ? "" : ", ") + reason;
  }
  if (reasons.empty()) return;
  throw ConfigError((folder / "config.yaml").string() +
                    ": no model of this shape in transformers: GPT-2 has no place for " + reasons +
                    "; what it has stands in brackets");
}

// The weights under their names. `values` keeps those that had to be turned.
std::map<std::string, SafetensorView> their_tensors(const ModelFiles& files,
                                                    std::vector<std::vector<float>>& values) {
  std::map<std::string, SafetensorView> tensors;
  for (const Gpt2Tensor& name : gpt2_tensors(files.shape)) {
    const auto found = files.weights.tensors().find(kWeightPrefix + name.ours);
    if (found == files.weights.tensors().end() || found->second.dtype != "F32" ||
        found->second.shape != name.shape) {
      throw ConfigError(files.file.string() + ": " + kWeightPrefix + name.ours +
                        " is not there or not of the shape that config.yaml gives");
    }
    SafetensorView tensor = found->second;
    if (name.transposed) {
      values.push_back(transposed(floats(tensor), tensor.shape[0], tensor.shape[1]));
      tensor.bytes = std::as_bytes(std::span(values.back()));
      std::ranges::reverse(tensor.shape);
    }
    tensors[name.theirs] = tensor;
  }
  return tensors;
}

// What turns text into the ids that the model was trained on.
struct TokenizerFiles {
  TextMarks marks;
  fs::path file;  // empty: none
  std::string note;
};

// Of ids made elsewhere: the id that parts their documents may be known without the tokenizer.
TokenizerFiles known_by_name(const DataSetInfo& set) {
  const std::string note = "no tokenizer is here: data set " + set.name +
                           " knows it by name alone (" +
                           set.tokenizer.substr(std::string_view(kNamedTokenizer).size()) + "); ";
  const std::optional<int64_t> id = document_mark(set);
  if (!id) return {{}, {}, note + "which id ends a document is not known"};
  return {{id, id}, {}, note + "id " + std::to_string(*id) + " parts documents"};
}

TokenizerFiles find_tokenizer(const ModelFiles& files, const ExportOptions& options) {
  if (!files.run_step) {
    return {files.marks, {}, "the model's ids are those of the tokenizer it came with"};
  }
  try {
    const DataSetInfo set =
        open_train_set(files.config, files.content_hash, {options.model}, options.data);
    if (set.knows_tokenizer_by_name()) return known_by_name(set);
    const std::optional<int64_t> id = open_tokenizer(set).end_of_document();
    const std::string end = std::to_string(*id);
    if (set.tokenizer == "bytes") {
      return {{id, id},
              "",
              "ids 0 to 255 are the bytes of a text, id " + end +
                  " ends a document; transformers has no tokenizer for that, so there is no file"};
    }
    return {{id, id},
            tokenizer_file(set),
            tokenizer_file(set).filename().string() + ", of data set " + set.name +
                ", is the tokenizer; id " + end + " ends a document"};
  } catch (const ConfigError& error) {
    return {{}, {}, "no tokenizer, and no id that ends a document: " + std::string(error.what())};
  }
}

std::string described(const ModelFiles& files) {
  const ModelShape& shape = files.shape;
  std::string text = "GPT2LMHeadModel, " + std::to_string(shape.n_layer) + " layers of width " +
                     std::to_string(shape.d_model) + ", vocabulary " +
                     std::to_string(shape.n_vocab) + ", " +
                     human(static_cast<double>(count(shape)->parameters.total())) + " parameters";
  if (files.run_step) {
    text += ", after " + std::to_string(*files.run_step) + " of " +
            std::to_string(total_steps(files.config)) + " updates";
  }
  return text;
}

std::string readme(const ModelFiles& files, const TokenizerFiles& tokenizer) {
  std::string text = "# A GPT-2 written by scalelaw\n\n" + described(files) + ".\n";
  if (!files.content_hash.empty()) text += "Run " + files.content_hash + ".\n";
  if (files.config.train.precision == Precision::kBFloat16) {
    text += "Trained with products in bf16; the weights are float32.\n";
  }
  text +=
      "\n```python\nfrom transformers import AutoModelForCausalLM\n"
      "model = AutoModelForCausalLM.from_pretrained(\".\")\n```\n\nTokens: " +
      tokenizer.note + ".\n";
  if (!tokenizer.file.empty() && tokenizer.file.extension() == ".model") {
    text +=
        "It is a SentencePiece model, for `sentencepiece.SentencePieceProcessor(model_file=…)`;\n"
        "transformers' AutoTokenizer does not read it for a GPT-2.\n";
  }
  return text;
}

}  // namespace

std::vector<std::string> export_hugging_face(const ExportOptions& options) {
  const ModelFiles files = open_model(options.model);
  require_gpt2(options.model, files.shape);
  std::vector<std::vector<float>> values;
  const std::map<std::string, SafetensorView> tensors = their_tensors(files, values);
  const TokenizerFiles tokenizer = find_tokenizer(files, options);

  NewFolder folder(options.folder);
  const fs::path& draft = folder.draft();
  write_safetensors(draft / kModelFile, tensors, {{"format", "pt"}});  // transformers asks for it
  write_atomically(draft / "config.json", gpt2_config(files.shape, tokenizer.marks).dump(2) + "\n");
  if (!tokenizer.file.empty()) {
    write_atomically(draft / tokenizer.file.filename(), read_whole_file(tokenizer.file));
  }
  write_atomically(draft / "README.md", readme(files, tokenizer));
  folder.publish();
  return {options.folder.string() + ": " + described(files), "tokens: " + tokenizer.note};
}

}  // namespace scalelaw
