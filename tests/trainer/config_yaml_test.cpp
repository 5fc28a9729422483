// YAML text into dotted keys, and a RunConfig back into YAML. Rules: config_resolve_test.cpp.
#include "trainer/config_yaml.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>

#include "tests/support/temp_dir.h"
#include "trainer/yaml_tree.h"

namespace scalelaw {
namespace {

std::string fault_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

std::string parse_fault(const std::string& yaml) {
  return fault_of([&] { parse_flat_config(yaml, "f.yaml"); });
}

RunConfig config_of(const std::string& yaml) {
  return resolve(parse_flat_config(yaml, "f.yaml"));
}

TEST(FlatConfig, FlattensNestedDottedAndInlineMaps) {
  const FlatConfig flat = parse_flat_config(
      "# a comment\n"
      "data:\n"
      "  train: books\n"
      "  test: {books: 2Mi, wiki.v2: 1Mi}\n"
      "model.n_ctx: 64\n"
      "train:\n"
      "  learning_rate: 0.01   # peak\n"
      "  schedule: {warmup: 2%,\n"
      "             final: \"10%\"}\n",
      "f.yaml");
  std::string seen;
  for (const auto& [key, value] : flat) {
    EXPECT_EQ(value.file, "f.yaml");
    seen += std::to_string(value.line) + " " + key + "=" + value.text + "\n";
  }
  EXPECT_EQ(seen,
            "4 data.test.books=2Mi\n"
            "4 data.test.wiki.v2=1Mi\n"
            "3 data.train=books\n"
            "5 model.n_ctx=64\n"
            "7 train.learning_rate=0.01\n"
            "9 train.schedule.final=10%\n"
            "8 train.schedule.warmup=2%\n");
}

TEST(FlatConfig, AnEmptyFileHoldsNothing) {
  EXPECT_TRUE(parse_flat_config("", "f").empty());
  EXPECT_TRUE(parse_flat_config("# only a comment\n", "f").empty());
  EXPECT_TRUE(parse_flat_config("{}", "f").empty());
  EXPECT_TRUE(parse_flat_config("---\n", "f").empty());
}

TEST(FlatConfig, ReadsWindowsLineEndsAndAByteOrderMark) {
  const FlatConfig flat = parse_flat_config("\xef\xbb\xbfseeds:\r\n  init: 3\r\n", "f");
  EXPECT_EQ(flat.at("seeds.init").text, "3");
}

TEST(FlatConfig, DuplicateKeysAreRefusedHoweverTheyAreWritten) {
  EXPECT_EQ(parse_fault("seeds:\n  init: 1\n  data: 2\n  init: 3\n"),
            "line 4 of f.yaml: seeds.init = 3: is set twice, first in line 2; remove one");
  EXPECT_NE(parse_fault("seeds: {init: 1}\nseeds: {init: 2}\n").find("line 2 of f.yaml"),
            std::string::npos);
  EXPECT_NE(parse_fault("seeds.init: 1\nseeds:\n  init: 1\n").find("twice, first in line 1"),
            std::string::npos);
}

TEST(FlatConfig, RepeatedMapsAreRefusedThoughTheirLeavesDiffer) {
  EXPECT_EQ(parse_fault("model: {n_layer: 1}\nseeds: {init: 1}\nmodel: {d_model: 8}\n"),
            "line 3 of f.yaml: model = {...}: is set twice, first in line 1; remove one");
  EXPECT_EQ(parse_fault("train:\n  optimizer: {beta1: 0.8}\n  optimizer:\n    beta2: 0.9\n"),
            "line 3 of f.yaml: train.optimizer = {...}: is set twice, first in line 2; remove one");
  for (const char* yaml : {"seeds: {}\nseeds: {init: 1}\n", "seeds: {init: 1}\nseeds: {}\n",
                           "seeds: 1\nseeds: {init: 1}\n", "seeds: {init: 1}\nseeds: 1\n"}) {
    EXPECT_NE(parse_fault(yaml).find("line 2 of f.yaml: seeds = "), std::string::npos) << yaml;
    EXPECT_NE(parse_fault(yaml).find("twice, first in line 1"), std::string::npos) << yaml;
  }
  EXPECT_EQ(parse_flat_config("seeds.init: 1\nseeds: {data: 2}\n", "f").size(), 2u)
      << "a dotted key is another way to write a part, not the map again";
}

TEST(FlatConfig, AnchorsAliasesMergeKeysAndTagsAreRefused) {
  EXPECT_NE(parse_fault("a: &x 1\n").find("line 1 of f.yaml: a: anchors (&x)"), std::string::npos);
  EXPECT_NE(parse_fault("a: &x {b: 1}\n").find("anchors"), std::string::npos);
  EXPECT_NE(parse_fault("a: 1\nb: *x\n"), "nothing was thrown");
  EXPECT_NE(parse_fault("a: {b: 1}\n<<: {c: 2}\n").find("line 2 of f.yaml: merge keys"),
            std::string::npos);
  EXPECT_NE(parse_fault("a: !!int 3\n").find("tags (tag:yaml.org,2002:int)"), std::string::npos);
}

TEST(FlatConfig, ListsNullsAndOddKeysAreRefused) {
  EXPECT_EQ(parse_fault("model:\n  n_layer: [1, 2]\n"),
            "line 2 of f.yaml: model.n_layer = [...]: a run takes one value, not a list");
  EXPECT_NE(parse_fault("- a\n").find("line 1 of f.yaml: expected keys"), std::string::npos);
  for (const char* yaml : {"seeds:\n  init:\n", "seeds:\n  init: ~\n", "seeds: {init: null}\n"}) {
    EXPECT_NE(parse_fault(yaml).find("seeds.init: has no value"), std::string::npos) << yaml;
  }
  EXPECT_NE(parse_fault("just text\n").find("expected keys"), std::string::npos);
  EXPECT_NE(parse_fault("? {a: b}\n: c\n").find("a key must be a plain word"), std::string::npos);
  EXPECT_NE(parse_fault("~: 1\n").find("a key is missing"), std::string::npos);
  EXPECT_NE(parse_fault("\"\": 1\n").find("a key is empty"), std::string::npos);
}

TEST(FlatConfig, InvalidYamlNamesTheLineWhereTheFaultBegins) {
  EXPECT_EQ(parse_fault("a: 1\nb: {c: 2\nd: 3\n"),
            "line 2 of f.yaml: this { is not closed by a }, a comma is missing between its "
            "keys, or a value with a ?, : or comma in it is not quoted");
  for (const char* yaml : {"a: 1\nb: [1\n", "a: 1\nb: [1\nc: 2\n", "a: 1\nb: [1, {c: 2}"}) {
    EXPECT_EQ(parse_fault(yaml),
              "line 2 of f.yaml: this [ is not closed by a ], or a comma is missing in the list")
        << yaml;
  }
  EXPECT_NE(parse_fault("[1").find("line 1 of f.yaml: this [ is not closed"), std::string::npos);
  EXPECT_EQ(parse_fault("a: 1\nb: \"x\nc: 3\n"),
            "line 2 of f.yaml: b: a quote is opened here and not closed");
  for (const char* yaml : {"a: 1\n\tb: 2\n", "a:\n\tb: 2\n"}) {
    EXPECT_EQ(parse_fault(yaml),
              "line 2 of f.yaml: a tab indents this line; YAML takes spaces alone")
        << yaml;
  }
  EXPECT_NE(parse_fault("a: 1\nb\n").find("line 2 of f.yaml: b: has no value"), std::string::npos);
  EXPECT_EQ(parse_flat_config("a: 'it''s'\nb: \"x\\\"y\"\nc: |\n  \"open\n", "f").size(), 3u);
  EXPECT_NE(parse_fault("a: 1\nb: c: 2\n").find("line 2 of f.yaml: not valid YAML: "),
            std::string::npos);
  EXPECT_EQ(parse_fault("a: 1\n---\nb: 2\n"),
            "line 2 of f.yaml: a second YAML document begins here (---); a file holds one");
  EXPECT_NE(parse_fault("---\na: 1\n---\nb: 2\n").find("line 3 of f.yaml: a second"),
            std::string::npos);
}

TEST(FlatConfig, AliasesThatWouldMultiplyAreRefusedAtTheFirstAnchor) {
  std::string bomb = "a: &a {x: 1}\n";
  for (char name = 'b'; name < 'k'; ++name) {
    const std::string before = "*" + std::string(1, static_cast<char>(name - 1));
    bomb += std::string(1, name) + ": &" + name + " {x: " + before + ", y: " + before + "}\n";
  }
  EXPECT_EQ(parse_fault(bomb),
            "line 1 of f.yaml: a: anchors (&a) are not read; write the value out");
}

TEST(FlatConfig, ControlCharactersDoNotHideTheRest) {
  // yaml-cpp takes byte 4 for the end of the file.
  EXPECT_EQ(parse_fault(std::string("seeds: {init: 1}\n\x04model: {n_layer: 9}\n")),
            "line 2 of f.yaml: byte 1 of the line (0x04) is a control character; this is no text "
            "file in UTF-8");
  EXPECT_NE(parse_fault(std::string("a: 1\0b", 6)).find("control character"), std::string::npos);
}

TEST(FlatConfig, BytesThatAreNotUtf8AreNamed) {
  EXPECT_EQ(parse_fault("data:\n  train: caf\xe9\n"),
            "line 2 of f.yaml: byte 13 of the line (0xe9) is not UTF-8; save the file as UTF-8");
  EXPECT_NE(parse_fault(std::string("\xff\xfe"
                                    "a\0:\0",
                                    6))
                .find("byte 1 of the line (0xff)"),
            std::string::npos);
  EXPECT_EQ(parse_flat_config("data: {train: caf\xc3\xa9}\n", "f").at("data.train").text,
            "caf\xc3\xa9");
  FlatConfig flat;
  EXPECT_NE(fault_of([&] { apply_setting(flat, "data.train=caf\xe9"); }).find("byte 15"),
            std::string::npos);
}

TEST(FlatConfig, DepthAndSizeAreLimited) {
  std::string deep;
  for (int level = 0; level < 16; ++level) deep += "{a: ";
  EXPECT_EQ(parse_flat_config(deep + "1" + std::string(16, '}'), "f").size(), 1u);
  EXPECT_NE(parse_fault("{a: " + deep + "1" + std::string(17, '}')).find("nested deeper than 16"),
            std::string::npos);
  EXPECT_NE(parse_fault(std::string(500000, '[')), "nothing was thrown");
  EXPECT_NE(parse_fault(std::string(500000, '{')), "nothing was thrown");
  EXPECT_EQ(parse_fault(std::string((1 << 20) + 1, ' ')), "f.yaml: larger than 1 MiB");
}

TEST(FlatConfig, FilesAreReadWithTheirName) {
  const TempDir folder;
  const auto file = folder.path() / "run.yaml";
  std::ofstream(file) << "spec: 1\nseeds:\n  init: 5\n";
  EXPECT_EQ(read_flat_config(file).at("seeds.init").file, file.string());
  EXPECT_EQ(read_run_config(file, {"seeds.data=6", "model.n_layer=1"}).seeds.data, 6);
  EXPECT_EQ(read_run_config(file).seeds.init, 5);
  for (const char* without_spec : {"", "# nothing\n", "seeds: {init: 5}\n"}) {
    std::ofstream(file) << without_spec;
    EXPECT_NE(fault_of([&] { read_run_config(file); }).find("spec is missing"), std::string::npos);
  }
  std::ofstream(file) << std::string((1 << 20) + 1, '#');
  EXPECT_EQ(fault_of([&] { read_flat_config(file); }), file.string() + ": larger than 1 MiB");
  const auto missing = folder.path() / "none.yaml";
  EXPECT_EQ(fault_of([&] { read_flat_config(missing); }),
            missing.string() + ": cannot read: No such file or directory");
  EXPECT_NE(fault_of([&] { read_flat_config(folder.path()); }), "nothing was thrown");
}

// Opening a pipe without a writer, or reading some files of /proc, would wait for ever.
TEST(FlatConfig, FilesAreRegularOnes) {
  const TempDir folder;
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& file : {pipe.string(), std::string("/dev/zero")}) {
    EXPECT_EQ(fault_of([&] { read_flat_config(file); }),
              file + ": is no regular file but a pipe or a device; write its text to a file");
  }
  EXPECT_EQ(read_yaml_text("/proc/self/status"), "") << "whose size is said to be 0";
}

TEST(FlatConfig, SettingsReplaceAndEmpty) {
  FlatConfig flat = parse_flat_config("seeds: {init: 1}\ndata: {test: {a: 1k, b: 2k}}\n", "f");
  apply_setting(flat, "seeds.init=7");
  apply_setting(flat, "data.test.b=4k");
  EXPECT_EQ(flat.at("seeds.init").text, "7");
  EXPECT_EQ(resolve(flat).data.test.at("b"), 4000);
  apply_setting(flat, "data.test={}");
  EXPECT_TRUE(resolve(flat).data.test.empty());
  for (const char* setting : {"seeds.init", "=3", "seeds.init=", ""}) {
    EXPECT_NE(fault_of([&] { apply_setting(flat, setting); }).find("must be KEY=VALUE"),
              std::string::npos);
  }
  apply_setting(flat, "seeds.init=x");
  EXPECT_EQ(fault_of([&] { resolve(flat); }),
            "--set: seeds.init = x: must be a whole number (20000, 20k, 2.5M) >= 0");
}

TEST(ToYaml, DefaultsRoundTrip) {
  const std::string yaml = to_yaml(RunConfig{});
  EXPECT_EQ(to_yaml(config_of(yaml)), yaml);
  EXPECT_EQ(to_yaml(config_of("")), yaml);
}

TEST(ToYaml, EveryKeyIsWrittenAndReadBack) {
  const std::string yaml =
      "spec: 1\n"
      "data:\n"
      "  train: books 8k\n"
      "  test:\n"
      "    a/path: 2097152\n"
      "    wiki.v2: 1000\n"
      "horizon:\n"
      "  tokens: 30000000\n"
      "model:\n"
      "  arch: lstm\n"
      "  n_layer: 3\n"
      "  d_model: 96\n"
      "  d_ff_ratio: 2.5\n"
      "  n_head: 8\n"
      "  n_ctx: 64\n"
      "  position: learned\n"
      "  embeddings: untied\n"
      "  bias: false\n"
      "  init: gpt2\n"
      "  embedding_std: 0.02\n"
      "train:\n"
      "  batch_tokens: 2048\n"
      "  learning_rate: 3e-4\n"
      "  optimizer:\n"
      "    kind: adamw\n"
      "    beta1: 0.8\n"
      "    beta2: 0.99\n"
      "    epsilon: 1e-9\n"
      "    weight_decay: 0.1\n"
      "    clip_norm: 0\n"
      "  schedule:\n"
      "    kind: cosine\n"
      "    warmup: 0.02\n"
      "    final: 0\n"
      "  precision: bf16\n"
      "evaluate:\n"
      "  points_per_decade: 4.5\n"
      "  tokens: 4096\n"
      "  noise_scale_every: 4\n"
      "seeds:\n"
      "  init: 0\n"
      "  data: 9007199254740991\n"
      "how:\n"
      "  micro_batch_tokens: 1024\n"
      "  recompute: blocks\n"
      "  step: device\n"
      "  log_every: 10\n"
      "  checkpoint_every_seconds: 900\n"
      "  keep: weights\n"
      "  progress_every_seconds: 0.5\n";
  EXPECT_EQ(to_yaml(config_of(yaml)), yaml);
  for (const ConfigKey& key : config_keys()) {
    const std::string last = key.name.substr(key.name.rfind('.') + 1);
    EXPECT_TRUE(last == "NAME" || yaml.find(last + ": ") != std::string::npos) << key.name;
  }
}

TEST(ToYaml, AwkwardNamesOfDataSetsSurvive) {
  for (const std::string name :
       {"null", "~", "true", "a: b", "# no", "{x", "two\nlines", "quo\"te", "back\\slash", "-",
        " padded ", "\u00e9", "1e3", "*a", "&b", "!c"}) {
    RunConfig config;
    config.data.train = name;
    config.data.test[name] = 4096;
    const RunConfig read = config_of(to_yaml(config));
    EXPECT_EQ(read.data.train, name) << to_yaml(config);
    EXPECT_EQ(read.data.test, config.data.test) << to_yaml(config);
  }
}

}  // namespace
}  // namespace scalelaw
