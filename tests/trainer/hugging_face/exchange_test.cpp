// What `model export hf` and `model import hf` make, and what they refuse.
#include "trainer/hugging_face/exchange.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/hugging_face/gpt2.h"
#include "trainer/model_files.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// Numbers that differ from place to place.
struct Weights {
  std::vector<std::vector<float>> values;
  std::map<std::string, SafetensorView> tensors;
};

SafetensorView numbers(const std::vector<int64_t>& shape, Weights& weights) {
  int64_t size = 1;
  for (const int64_t n : shape) size *= n;
  std::vector<float> values(static_cast<std::size_t>(size));
  float next = 0.5f + static_cast<float>(weights.values.size());
  for (float& value : values) value = next += 0.25f;
  weights.values.push_back(std::move(values));
  return {"F32", shape, std::as_bytes(std::span(weights.values.back()))};
}

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no ConfigError";
}

class Exchange : public testing::Test {
 protected:
  void SetUp() override {
    shape_.n_layer = 2;
    shape_.d_model = 8;
    shape_.n_head = 2;
    shape_.n_ctx = 6;
    shape_.n_vocab = 11;
    shape_.position = PositionEncoding::kLearned;
  }
  fs::path place(const std::string& name) const { return temp_.path() / name; }

  fs::path make_model_folder(const std::string& name) {
    Weights weights;
    for (const Gpt2Tensor& tensor : gpt2_tensors(shape_)) {
      weights.tensors[kWeightPrefix + tensor.ours] = numbers(tensor.shape, weights);
    }
    fs::create_directories(place(name));
    write_model(place(name), shape_, weights.tensors, "");
    return place(name);
  }
  // A Hugging Face folder.
  fs::path exported(const std::string& name) {
    export_hugging_face({make_model_folder(name + "_model"), place(name)});
    return place(name);
  }
  // The folder's tensors, changed, in its place.
  void change_tensors(const fs::path& folder,
                      const std::function<void(std::map<std::string, SafetensorView>&)>& change) {
    const SafetensorsFile file(folder / kModelFile);
    auto tensors = file.tensors();
    change(tensors);
    write_safetensors(folder / kModelFile, tensors, {{"format", "pt"}});
  }
  void change_config(const fs::path& folder, const std::string& key, const nlohmann::json& value) {
    auto json = nlohmann::json::parse(read_whole_file(folder / "config.json"));
    if (value.is_discarded()) {
      json.erase(key);
    } else {
      json[key] = value;
    }
    std::ofstream(folder / "config.json") << json;
  }
  std::string import_error(const fs::path& folder) {
    std::string error = error_of([&] { import_hugging_face({folder, place("imported")}); });
    EXPECT_FALSE(fs::exists(place("imported")));
    return error;
  }
  // Names below the test's folder, drafts included.
  std::size_t names() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(temp_.path()), {}));
  }

  ModelShape shape_;
  TempDir temp_;
};

TEST_F(Exchange, UntiedHeadIsTurnedAndComesBackAsItWas) {
  shape_.embeddings = EmbeddingTying::kUntied;
  const fs::path hf = exported("hf");
  const SafetensorsFile theirs(hf / kModelFile);
  EXPECT_EQ(theirs.at("lm_head.weight").shape, (std::vector<int64_t>{11, 8}));
  import_hugging_face({hf, place("imported")});
  const ModelFiles back = open_model(place("imported"));
  const ModelFiles before = open_model(place("hf_model"));
  EXPECT_EQ(back.shape.n_vocab, 11);
  ASSERT_EQ(back.weights.tensors().size(), before.weights.tensors().size());
  for (const auto& [name, tensor] : before.weights.tensors()) {
    EXPECT_EQ(back.weights.at(name).shape, tensor.shape) << name;
    EXPECT_TRUE(std::ranges::equal(back.weights.at(name).bytes, tensor.bytes)) << name;
  }
}

TEST_F(Exchange, ShapesOfNoGpt2AreRefusedWithEveryKeyThatDoesNotFit) {
  const fs::path folder = make_model_folder("model");
  shape_.position = PositionEncoding::kRotary;
  shape_.bias = false;
  make_model_folder("model");
  std::string error = error_of([&] { export_hugging_face({folder, place("hf")}); });
  for (const char* part : {"config.yaml", "model.position = rotary", "model.bias = false"}) {
    EXPECT_NE(error.find(part), std::string::npos) << error;
  }
  shape_.arch = "lstm";
  make_model_folder("model");
  error = error_of([&] { export_hugging_face({folder, place("hf")}); });
  EXPECT_NE(error.find("model.arch = lstm"), std::string::npos) << error;
  EXPECT_FALSE(fs::exists(place("hf")));
}

TEST_F(Exchange, FolderWithFilesIsNeverTouched) {
  const fs::path model = make_model_folder("model");
  fs::create_directories(place("full"));
  std::ofstream(place("full") / "notes") << "mine";
  std::ofstream(place("file")) << "mine";
  fs::create_directory_symlink(place("nowhere"), place("link"));
  const std::size_t before = names();
  for (const char* name : {"full", "file", "link", "model"}) {
    const std::string error = error_of([&] { export_hugging_face({model, place(name)}); });
    EXPECT_NE(error.find(name), std::string::npos) << error;
  }
  EXPECT_EQ(read_whole_file(place("full") / "notes"), "mine");
  EXPECT_EQ(std::distance(fs::directory_iterator(place("full")), {}), 1);
  EXPECT_EQ(names(), before);

  fs::create_directory(place("empty"));
  export_hugging_face({model, place("empty")});
  EXPECT_TRUE(fs::exists(place("empty") / "config.json"));
  EXPECT_EQ(names(), before + 1);
}

TEST_F(Exchange, WeightsThatAreNotTheConfigurationsAreRefused) {
  const fs::path model = make_model_folder("model");
  shape_.d_model = 16;
  make_model_folder("wider");
  fs::copy_file(place("wider") / "config.yaml", model / "config.yaml",
                fs::copy_options::overwrite_existing);
  const std::string error = error_of([&] { export_hugging_face({model, place("hf")}); });
  EXPECT_NE(error.find("model.embedding.weight"), std::string::npos) << error;
  EXPECT_FALSE(fs::exists(place("hf")));
}

TEST_F(Exchange, ConfigurationsThatComputeSomethingElseAreRefusedByKey) {
  const std::vector<std::pair<std::string, nlohmann::json>> cases = {
      {"model_type", "llama"},
      {"activation_function", "gelu"},
      {"activation_function", 3},
      {"layer_norm_epsilon", 1e-6},
      {"scale_attn_weights", false},
      {"scale_attn_by_inverse_layer_idx", true},
      {"add_cross_attention", true},
      {"quantization_config", {{"bits", 4}}},
      {"n_layer", -1},
      {"n_embd", 1e300},
      {"n_embd", "wide"},
      {"n_embd", 0},
      {"vocab_size", 0},
      {"n_inner", 0},
      {"tie_word_embeddings", "yes"}};
  const fs::path hf = exported("hf");
  const std::string whole = read_whole_file(hf / "config.json");
  for (const auto& [key, value] : cases) {
    change_config(hf, key, value);
    const std::string error = import_error(hf);
    EXPECT_NE(error.find((hf / "config.json").string()), std::string::npos) << error;
    EXPECT_TRUE(error.find(key) != std::string::npos || key == "n_inner") << error;
    std::ofstream(hf / "config.json") << whole;
  }
  const std::string nest = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  std::ofstream(hf / "config.json") << "{\"model_type\": " << nest << "}";
  EXPECT_NE(import_error(hf).find("nested deeper than 64 levels"), std::string::npos);
  std::ofstream(hf / "config.json") << whole;
  change_config(hf, "n_head", 3);
  EXPECT_NE(import_error(hf).find("model.n_head"), std::string::npos);
  const std::map<std::string, std::string> damaged = {{"", "config.json: empty"},
                                                      {"[]", "not a JSON object"},
                                                      {"{\"model_type\": ", "cut short after 15"},
                                                      {"\xff", "no JSON from byte 1 on"}};
  for (const auto& [text, part] : damaged) {
    std::ofstream(hf / "config.json") << text;
    EXPECT_NE(import_error(hf).find(part), std::string::npos) << import_error(hf);
  }
}

TEST_F(Exchange, EveryTensorsNameDtypeAndShapeIsChecked) {
  const fs::path hf = exported("hf");
  const std::string whole = read_whole_file(hf / kModelFile);
  const std::vector<int32_t> integers(1000);
  using Tensors = std::map<std::string, SafetensorView>;
  const std::vector<std::pair<std::string, std::function<void(Tensors&)>>> cases = {
      {"tensor transformer.h.1.mlp.c_fc.bias is not there",
       [](Tensors& t) { t.erase("transformer.h.1.mlp.c_fc.bias"); }},
      {"tensor transformer.wpe.weight is [11, 8]: by config.json it must be [6, 8]",
       [](Tensors& t) { t["transformer.wpe.weight"] = t["transformer.wte.weight"]; }},
      {"tensor transformer.ln_f.bias is I32: must be",
       [&](Tensors& t) {
         t["transformer.ln_f.bias"] = {"I32", {8}, std::as_bytes(std::span(integers)).first(32)};
       }},
      {"tensor transformer.h.2.ln_1.bias is no part",
       [](Tensors& t) { t["transformer.h.2.ln_1.bias"] = t["transformer.ln_f.bias"]; }},
      {"tensor score.weight is no part",
       [](Tensors& t) { t["score.weight"] = t["transformer.ln_f.bias"]; }},
      {"tensor lm_head.weight differs from the embedding", [&](Tensors& t) {
         t["lm_head.weight"] = {"F32", {11, 8}, std::as_bytes(std::span(integers)).first(352)};
       }}};
  for (const auto& [expected, change] : cases) {
    change_tensors(hf, change);
    const std::string error = import_error(hf);
    EXPECT_NE(error.find(expected), std::string::npos) << error << "\nexpected " << expected;
    std::ofstream(hf / kModelFile, std::ios::binary) << whole;
  }
  std::ofstream(hf / kModelFile, std::ios::binary) << whole.substr(0, whole.size() - 3);
  EXPECT_NE(import_error(hf).find("not a whole safetensors file"), std::string::npos);
}

TEST_F(Exchange, OldNamesMasksAndAStoredTiedHeadAreRead) {
  const fs::path hf = exported("hf");
  const std::vector<float> mask(36);
  change_tensors(hf, [&](std::map<std::string, SafetensorView>& tensors) {
    std::map<std::string, SafetensorView> bare;
    for (const auto& [name, tensor] : tensors)
      bare[name.substr(sizeof "transformer." - 1)] = tensor;
    bare["h.0.attn.bias"] = {"F32", {1, 1, 6, 6}, std::as_bytes(std::span(mask))};
    bare["h.1.attn.masked_bias"] = {"F32", {}, std::as_bytes(std::span(mask)).first(4)};
    bare["lm_head.weight"] = bare["wte.weight"];
    tensors = bare;
  });
  change_config(hf, "n_inner", nullptr);
  change_config(hf, "tie_word_embeddings", nlohmann::json(nlohmann::json::value_t::discarded));
  import_hugging_face({hf, place("imported")});
  EXPECT_TRUE(
      std::ranges::equal(open_model(place("imported")).weights.at("model.position.weight").bytes,
                         open_model(place("hf_model")).weights.at("model.position.weight").bytes));
}

// As transformers' GPT2Config.attribute_map has them. Nothing in the weights tells the heads.
TEST_F(Exchange, StandardNamesOfGpt2sKeysAreReadAndMustAgreeWithThem) {
  const fs::path hf = exported("hf");
  const std::string whole = read_whole_file(hf / "config.json");
  const nlohmann::json none(nlohmann::json::value_t::discarded);
  const std::map<std::string, std::pair<std::string, int64_t>> names = {
      {"num_attention_heads", {"n_head", 2}},
      {"hidden_size", {"n_embd", 8}},
      {"num_hidden_layers", {"n_layer", 2}},
      {"max_position_embeddings", {"n_positions", 6}}};
  for (const auto& [alias, name] : names) {
    const auto& [key, value] = name;
    change_config(hf, alias, value);
    EXPECT_EQ(gpt2_shape(hf / "config.json").n_head, 2) << "both agree on " << key;
    for (const nlohmann::json& other : {nlohmann::json(value + 2), nlohmann::json(nullptr)}) {
      change_config(hf, alias, other);
      EXPECT_NE(import_error(hf).find(alias + " = "), std::string::npos) << import_error(hf);
    }
    std::ofstream(hf / "config.json") << whole;
  }
  for (const auto& [alias, name] : names) {
    change_config(hf, name.first, none);
    change_config(hf, alias, name.second);
  }
  const ModelShape shape = gpt2_shape(hf / "config.json");
  EXPECT_EQ(shape.n_head, 2);
  EXPECT_EQ(shape.d_model, 8);
  EXPECT_EQ(shape.n_layer, 2);
  EXPECT_EQ(shape.n_ctx, 6);
  import_hugging_face({hf, place("imported")});
  EXPECT_EQ(open_model(place("imported")).shape.n_head, 2);
}

TEST_F(Exchange, IdsAroundATextStayThoseOfTheImportedModel) {
  const fs::path hf = exported("hf");
  const auto there_and_back = [&](const nlohmann::json& before, const nlohmann::json& behind) {
    change_config(hf, "bos_token_id", before);
    change_config(hf, "eos_token_id", behind);
    for (const char* made : {"imported", "back"}) fs::remove_all(place(made));
    import_hugging_face({hf, place("imported")});
    export_hugging_face({place("imported"), place("back")});
    const auto json = nlohmann::json::parse(read_whole_file(place("back") / "config.json"));
    return nlohmann::json{json.at("bos_token_id"), json.at("eos_token_id")};
  };
  const nlohmann::json none(nlohmann::json::value_t::discarded);
  EXPECT_EQ(there_and_back(3, 10), nlohmann::json({3, 10}));
  EXPECT_EQ(there_and_back(nullptr, 0), nlohmann::json({nullptr, 0}));
  EXPECT_EQ(there_and_back(11, -1), nlohmann::json({nullptr, nullptr})) << "no ids of 11";
  EXPECT_EQ(there_and_back("end", nlohmann::json::array({1})), nlohmann::json({nullptr, nullptr}));
  EXPECT_EQ(there_and_back(none, none), nlohmann::json({nullptr, nullptr})) << "50256 is none here";
  EXPECT_EQ(gpt2_marks(hf / "config.json", 50257), (TextMarks{50256, 50256}));
}

TEST_F(Exchange, WhatIsNoModelSaysWhatItIs) {
  fs::create_directory(place("empty"));
  EXPECT_NE(error_of([&] { open_model(place("nothing")); }).find("no such folder"),
            std::string::npos);
  EXPECT_NE(error_of([&] { open_model(place("empty")); }).find("neither a run nor a model"),
            std::string::npos);
  EXPECT_NE(error_of([&] { open_model(exported("hf")); }).find("scalelaw model import hf"),
            std::string::npos);
  std::ofstream(place("empty") / "config.yaml") << "spec: 1\n";
  EXPECT_NE(error_of([&] { open_model(place("empty")); }).find("no weights yet"),
            std::string::npos);
  EXPECT_NE(import_error(place("empty")).find("no config.json"), std::string::npos);
  std::ofstream(place("empty") / "config.json") << "{\"model_type\": \"gpt2\"}";
  EXPECT_NE(import_error(place("empty")).find("no model.safetensors"), std::string::npos);
  std::ofstream(place("empty") / "model.safetensors.index.json") << "{}";
  EXPECT_NE(import_error(place("empty")).find("several files"), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
