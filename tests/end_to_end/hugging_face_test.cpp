// Hugging Face's transformers and this program compute the same from the same files.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"
#include "tests/support/small_corpus.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"
#include "trainer/loaded_model.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// `make ROOT`: GPT-2s of transformers' own, far from their initial values so that no part of the
// model is nearly constant. Of these, or of the folders given, DIR/logits.safetensors.
constexpr const char* kScript = R"(
import os, sys
os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

def make(folder, dtype=torch.float32, trunk_alone=False, **keys):
    torch.manual_seed(1)
    model = GPT2LMHeadModel(GPT2Config(n_positions=24, n_embd=32, n_layer=2, n_head=4, **keys))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    model = model.to(dtype)
    (model.transformer if trunk_alone else model).save_pretrained(folder)
    return folder

if sys.argv[1] == "make":
    root = sys.argv[2]
    folders = [make(root + "/tied", vocab_size=37),
               make(root + "/untied", vocab_size=101, tie_word_embeddings=False, n_inner=48),
               make(root + "/trunk", vocab_size=37, trunk_alone=True),
               make(root + "/bfloat16", vocab_size=37, dtype=torch.bfloat16),
               make(root + "/float16", vocab_size=37, dtype=torch.float16)]
else:
    folders = sys.argv[1:]
for folder in folders:
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True)
    assert type(model) is GPT2LMHeadModel and not any(info.values()), (folder, info)
    model.eval()
    vocabulary, context = model.config.vocab_size, model.config.n_positions
    tokens = (torch.arange(3 * context) ** 2 * 7 % vocabulary).view(3, context)
    with torch.no_grad():
        single = model(tokens).logits
        assert model.generate(tokens[:1, :2], max_new_tokens=3, do_sample=False).shape[1] > 2
        double = model.double()(tokens).logits
    save_file({"tokens": tokens, "float32": single.contiguous(), "float64": double.contiguous()},
              folder + "/logits.safetensors")
)";

const std::string kPython = std::string(SCALELAW_SOURCE_DIR) + "/.venv/transformers/bin/python";

bool transformers_are_here() {
  return fs::exists(kPython) &&
         run_program({kPython, "-c",
                      "from importlib.metadata import version; version('torch'), "
                      "version('transformers')"})
                 .exit_code == 0;
}

at::Tensor tensor_of(const SafetensorView& view, at::ScalarType type) {
  auto* bytes = const_cast<std::byte*>(view.bytes.data());
  return at::from_blob(bytes, view.shape, type).clone();
}

// Both sum in float32, each in an order of its own. How far that may lead is what it did to
// transformers: ours may be twice as far from the logits in double precision.
void expect_their_logits(const fs::path& ours, const fs::path& theirs) {
  SCOPED_TRACE(theirs.string());
  const SafetensorsFile file(theirs / "logits.safetensors");
  const at::Tensor tokens = tensor_of(file.at("tokens"), at::kLong).unsqueeze(0);
  const at::Tensor exact = tensor_of(file.at("float64"), at::kDouble);
  const at::Tensor single = tensor_of(file.at("float32"), at::kFloat);
  const LoadedModel loaded(open_model(ours), at::kCPU);
  const at::Tensor logits = loaded.model().logits(tokens).detach()[0];
  ASSERT_EQ(logits.sizes(), exact.sizes());
  const auto error = [&](const at::Tensor& x) { return (x - exact).abs().max().item<double>(); };
  std::cout << theirs.filename().string() << ": error " << error(logits) << ", theirs "
            << error(single) << ", of logits up to " << exact.abs().max().item<double>() << "\n";
  EXPECT_LE(error(logits), 2 * error(single));
}

ProgramResult model(const std::vector<std::string>& words) {
  std::vector<std::string> command = {"scalelaw", "model"};
  command.insert(command.end(), words.begin(), words.end());
  return run_program(command);
}

std::map<std::string, std::string> tensor_bytes(const fs::path& folder) {
  std::map<std::string, std::string> all;
  const SafetensorsFile file(folder / "model.safetensors");
  for (const auto& [name, tensor] : file.tensors()) {
    all[name + nlohmann::json(tensor.shape).dump() + tensor.dtype] =
        std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  }
  return all;
}

class HuggingFace : public testing::Test {
 protected:
  void SetUp() override { write_tiny_data_set(temp_.path() / "data"); }
  std::string place(const std::string& name) const { return (temp_.path() / name).string(); }

  // A trained run's folder.
  ProgramResult evaluate(const fs::path& folder, const std::vector<std::string>& words) const {
    std::vector<std::string> command = {"scalelaw", "evaluate",    folder.string(),
                                        "--data",   place("data"), "--device",
                                        "cpu",      "--threads",   "1"};
    command.insert(command.end(), words.begin(), words.end());
    return run_program(command);
  }

  fs::path train(const std::string& name, const std::string& settings,
                 const std::string& set = "tiny") {
    std::ofstream(place(name + ".yaml"))
        << "spec: 1\ndata: {train: " << set << ", test: {" << set << ": 512}}\n"
        << "horizon: {tokens: 6400}\ntrain: {batch_tokens: 64}\nevaluate: {tokens: 64}\n"
        << "model: {n_layer: 2, d_model: 32, n_head: 4, n_ctx: 16, " << settings << "}\n";
    const ProgramResult run =
        run_program({"scalelaw-train", "train", place(name + ".yaml"), "--runs", place(name),
                     "--data", place("data"), "--device", "cpu", "--threads", "1"});
    if (run.exit_code != 0) throw std::runtime_error(run.output);
    return *fs::directory_iterator(place(name));
  }

  TempDir temp_;
};

TEST_F(HuggingFace, TransformersLoadsAnExportAndGivesTheLogitsOfTheRun) {
  if (!transformers_are_here()) {
    GTEST_SKIP() << kPython << " has no transformers (scripts/setup.sh --transformers)";
  }
  const fs::path tied = train("tied", "position: learned");
  const fs::path untied = train("untied", "position: learned, embeddings: untied, d_ff_ratio: 1.5");
  for (const auto& [run, hf] : {std::pair{tied, place("hf/tied")}, {untied, place("hf/untied")}}) {
    const ProgramResult result = model({"export", "hf", run.string(), hf, "--data", place("data")});
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }
  const ProgramResult seen =
      run_program({kPython, "-c", kScript, place("hf/tied"), place("hf/untied")});
  ASSERT_EQ(seen.exit_code, 0) << seen.output;
  expect_their_logits(tied, place("hf/tied"));
  expect_their_logits(untied, place("hf/untied"));
}

TEST_F(HuggingFace, ImportedModelsGiveTheLogitsOfTransformersAndGoBackAsTheyCame) {
  if (!transformers_are_here()) {
    GTEST_SKIP() << kPython << " has no transformers (scripts/setup.sh --transformers)";
  }
  const ProgramResult made = run_program({kPython, "-c", kScript, "make", place("hf")});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  for (const std::string name : {"tied", "untied", "trunk", "bfloat16", "float16"}) {
    const std::string hf = place("hf/" + name), ours = place("models/" + name),
                      back = place("back/" + name);
    ASSERT_EQ(model({"import", "hf", hf, ours}).exit_code, 0) << name;
    expect_their_logits(ours, hf);
    ASSERT_EQ(model({"export", "hf", ours, back}).exit_code, 0) << name;
    if (name == "tied" || name == "untied") {
      EXPECT_EQ(tensor_bytes(back), tensor_bytes(hf)) << name;
    }
  }
}

TEST_F(HuggingFace, RunSurvivesTheWayThereAndBackAndIsEvaluatedAsAtItsEnd) {
  const fs::path run = train("run", "position: learned");
  ASSERT_EQ(model({"export", "hf", run.string(), place("hf"), "--data", place("data")}).exit_code,
            0);
  ASSERT_EQ(model({"import", "hf", place("hf"), place("model")}).exit_code, 0);
  ASSERT_EQ(model({"export", "hf", place("model"), place("again")}).exit_code, 0);
  EXPECT_EQ(tensor_bytes(place("again")), tensor_bytes(place("hf")));

  std::ifstream record(run / "run.json");
  const auto expected = nlohmann::json::parse(record).at("test").at("tiny");
  for (const std::string& folder : {run.string(), place("model")}) {
    const ProgramResult result =
        run_program({"scalelaw", "evaluate", folder, "tiny", "--tokens", "512", "--data",
                     place("data"), "--device", "cpu", "--threads", "1", "--json"});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(nlohmann::json::parse(result.output).at("tiny"), expected) << folder;
  }
}

TEST_F(HuggingFace, ExportCarriesTheTokenizerOfItsRunOrSaysWhyNot) {
  write_small_corpus(place("tales.jsonl"), 60);
  for (const std::string tokenizer : {"bytes", "bpe:300"}) {
    const std::string name = tokenizer.substr(0, 3);
    const ProgramResult built = run_program({"scalelaw", "data", "build", place("tales.jsonl"),
                                             "--name", name, "--tokenizer", tokenizer, "--val", "0",
                                             "--test", "20%", "--quiet", "--data", place("data")});
    ASSERT_EQ(built.exit_code, 0) << built.output;
    const std::string run = train(name, "position: learned", name);
    for (const std::string data : {"data", "elsewhere"}) {
      const std::string hf = place(name + "_" + data);
      ASSERT_EQ(model({"export", "hf", run, hf, "--data", place(data)}).exit_code, 0);
      std::ifstream config(hf + "/config.json");
      const auto end = nlohmann::json::parse(config).at("eos_token_id");
      const bool found = data == "data";
      const fs::path file = fs::path(hf) / "tokenizer.model";
      EXPECT_EQ(end.is_null(), !found);
      EXPECT_EQ(fs::exists(file), found && name == "bpe");
      if (found && name == "bpe") {
        EXPECT_EQ(read_whole_file(file), read_whole_file(place("data") + "/bpe/tokenizer.model"));
      } else if (found) {
        EXPECT_EQ(end, 256);
      }
      const std::string readme = read_whole_file(hf + "/README.md");
      EXPECT_EQ(readme.find("no tokenizer, and no id") == std::string::npos, found) << readme;
    }
  }
}

TEST_F(HuggingFace, ExportOfARunOnImportedIdsNamesTheIdThatPartsTheirDocuments) {
  std::string ids;
  for (uint32_t i = 0; i < 30'000; ++i) {  // no two documents alike
    ids += {static_cast<char>(i % 50 == 49 ? 7 : (i * 2654435761U >> 16) % 5), '\0'};
  }
  std::ofstream(place("ids.bin"), std::ios::binary) << ids;
  for (const bool told : {true, false}) {
    const std::string name = told ? "told" : "untold", hf = place("hf_" + name);
    std::vector<std::string> import = {
        "scalelaw", "data",         "import", place("ids.bin"), "--dtype",     "u16",    "--name",
        name,       "--vocab-size", "9",      "--data",         place("data"), "--quiet"};
    import.insert(import.end(), {"--test", "10%"});
    if (told) import.insert(import.end(), {"--eod", "7"});
    ASSERT_EQ(run_program(import).exit_code, 0);
    const std::string run = train(name, "position: learned", name);
    const ProgramResult result = model({"export", "hf", run, hf, "--data", place("data")});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_NE(result.output.find("knows it by name alone (" + name + ")"), std::string::npos)
        << result.output;
    std::ifstream config(hf + "/config.json");
    const auto json = nlohmann::json::parse(config);
    for (const char* key : {"bos_token_id", "eos_token_id"}) {
      EXPECT_EQ(json.at(key), told ? nlohmann::json(7) : nlohmann::json()) << key;
    }
  }
}

TEST_F(HuggingFace, EvaluatingOnOtherIdsIsRefused) {
  const fs::path run = train("run", "position: learned");
  write_tiny_data_set(place("data"), {.name = "larger", .n_vocab = 18});
  write_tiny_data_set(place("data"), {.name = "other", .tokenizer_hash = std::string(32, 'b')});
  for (const char* state : {"complete", "not complete"}) {
    SCOPED_TRACE(state);
    for (const std::string set : {"larger", "other"}) {
      const ProgramResult result = evaluate(run, {set});
      EXPECT_EQ(result.exit_code, 2) << result.output;
      EXPECT_NE(result.output.find(set + ": "), std::string::npos) << result.output;
    }
    EXPECT_EQ(evaluate(run, {"tiny"}).exit_code, 0);
    fs::remove(run / "run.json");
  }
  // Its train set is another one now: nothing says whose ids the run has seen.
  write_tiny_data_set(place("data"), {.train_tokens = 5000});
  const ProgramResult result = evaluate(run, {"tiny"});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_NE(result.output.find("are not the run's; name their folder by --data"), std::string::npos)
      << result.output;
}

TEST_F(HuggingFace, EvaluatingWhatHasNoWindowOrTheNameOfAnotherSetIsRefused) {
  const fs::path run = train("run", "position: learned");
  write_tiny_data_set(place("data"), {.name = "short", .test_tokens = 16});
  write_tiny_data_set(place("elsewhere"));
  const auto refuse = [&](const std::vector<std::string>& words, const std::string& part) {
    const ProgramResult result = evaluate(run, words);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_NE(result.output.find(part), std::string::npos) << result.output;
  };
  refuse({"short"}, "the test split of short holds 16 tokens, and a window of the model takes 17");
  refuse({"tiny", "--tokens", "15"}, "--tokens 15: must be from 16");
  refuse({"tiny", "--tokens", "1024"}, "to 1008, those of tiny");
  refuse({"tiny", place("elsewhere/tiny")}, "is named tiny as another of SETS is");
}

TEST_F(HuggingFace, EvaluatingWithoutTextBytesPrintsNoBitsAByte) {
  std::ofstream(place("ids.bin"), std::ios::binary) << std::string(60'000, '\1');
  const ProgramResult imported =
      run_program({"scalelaw", "data", "import", place("ids.bin"), "--dtype", "u16", "--name",
                   "ids", "--vocab-size", "300", "--quiet", "--data", place("data")});
  ASSERT_EQ(imported.exit_code, 0) << imported.output;
  const ProgramResult result = evaluate(train("run", "position: learned", "ids"), {"ids"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("nats a token  top-1"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace scalelaw
