#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "trainer/data/data_report.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class DataProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream lines(source());
    for (int i = 0; i < 300; ++i) {
      lines << "{\"text\": \"document " << i << "\\twith a tab and \\u001b[31m red\"}\n";
    }
  }
  std::string source() const { return (temp_.path() / "with space's.jsonl").string(); }
  std::string data() const { return (temp_.path() / "data").string(); }
  ProgramResult run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "scalelaw-data");
    arguments.insert(arguments.end(), {"--data", data()});
    return run_program(arguments);
  }
  ProgramResult build() const {
    return run({"build", source(), "--name", "lines", "--tokenizer", "bytes", "--val", "10%",
                "--test", "0.1"});
  }

  TempDir temp_;
};

TEST_F(DataProgramTest, BuildsVerifiesInspectsAndLists) {
  const auto built = build();
  EXPECT_EQ(built.exit_code, 0) << built.output;
  EXPECT_NE(built.output.find("encoding   done"), std::string::npos) << built.output;
  const auto again = build();
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_TRUE(again.output.ends_with("data set lines is already there, in " + data() + "/lines\n"))
      << again.output;

  EXPECT_EQ(run({"verify"}).output, "lines: whole\n");
  const auto inspected = run({"inspect", "lines"});
  EXPECT_EQ(inspected.exit_code, 0);
  EXPECT_NE(inspected.output.find("split        tokens     pieces "), std::string::npos);
  EXPECT_NE(inspected.output.find("train piece 0 ("), std::string::npos);
  EXPECT_NE(inspected.output.find("\\twith a tab and \\x1b[31m red"), std::string::npos);
  EXPECT_EQ(inspected.output.find('\x1b'), std::string::npos);
  const auto list = nlohmann::json::parse(run({"list", "--json"}).output);
  EXPECT_EQ(list[0]["name"], "lines");
  const auto json = nlohmann::json::parse(run({"inspect", "lines", "--json"}).output);
  EXPECT_EQ(json["n_vocab"], 257);
  EXPECT_EQ(json["samples"].size(), 6u);
}

TEST_F(DataProgramTest, BadInputEndsWithTwoOneMessageAndNothingWritten) {
  std::ofstream(temp_.path() / "latin1.txt") << "caf\xE9\n";
  const std::string latin1 = (temp_.path() / "latin1.txt").string();
  std::ofstream(temp_.path() / "blank.txt") << " \n\n";
  std::ofstream(temp_.path() / "torn.jsonl.gz") << "\x1f\x8b\x08 and no more";
  fs::create_symlink("loop", temp_.path() / "loop");
  std::ofstream(temp_.path() / "twice.jsonl") << R"({"text": "a", "text": "b"})"
                                              << "\n";
  const std::vector<std::vector<std::string>> bad = {
      {"build", (temp_.path() / "loop").string(), "--name", "x"},
      {"build", (temp_.path() / "twice.jsonl").string(), "--name", "x", "--quiet"},
      {"build", latin1, "--name", "x"},
      {"build", (temp_.path() / "blank.txt").string(), "--name", "x", "--quiet"},
      {"build", (temp_.path() / "torn.jsonl.gz").string(), "--name", "x", "--quiet"},
      {"build", source()},
      {"build", source(), "--name", "../x"},
      {"build", source(), "--name", "x", "--tokenizer", "bpe"},
      {"build", source(), "--name", "x", "--val", "150%"},
      {"build", source(), "--name", "x", "--jsonl-key", "body"},
      {"build", source(), "--name", "x", "--piece-bytes", "3"},
      {"build", source(), "--name", "x", "--split-by", "word"},
      {"build", "default", "--seed", "2"},
      {"build", "default", "--torch", temp_.path().string()},
      {"build", "nowhere.txt", "--name", "x"},
      {"inspect", "nothing"},
      {"verify"},
      {"build"},
      {"bild"}};
  for (const auto& arguments : bad) {
    const auto result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments.back() << ": " << result.output;
    EXPECT_FALSE(result.output.empty());
    EXPECT_FALSE(fs::exists(data()));
  }
}

// They would do something in a shell or on a terminal.
TEST_F(DataProgramTest, HostilePathsAreReadAndShownAsText) {
  const std::string hostile = "it's \"quoted\"\n`touch hacked`; $(touch hacked) \x1b[31m\xff";
  const fs::path folder = temp_.path() / hostile;
  fs::create_directories(folder);
  fs::copy_file(source(), folder / (hostile + ".jsonl"));
  const auto built = run({"build", folder.string(), "--name", "lines", "--tokenizer", "bytes"});
  EXPECT_EQ(built.exit_code, 0) << built.output;
  EXPECT_EQ(run({"verify"}).output, "lines: whole\n");
  EXPECT_TRUE(nlohmann::json::accept(run({"inspect", "lines", "--json"}).output));
  fs::copy(fs::path(data()) / "lines", fs::path(data()) / hostile);
  EXPECT_TRUE(nlohmann::json::accept(run({"list", "--json"}).output));
  const auto list = run({"list"});
  EXPECT_NE(list.output.find("it's \"quoted\"\\n`touch hacked`"), std::string::npos) << list.output;
  std::ofstream(folder / "bad.jsonl") << "{\"body\": 1}\n";
  const auto bad = run({"build", folder.string(), "--name", "x", "--quiet"});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_EQ(bad.output.find('\n'), bad.output.size() - 1) << bad.output;
  for (const std::string& output : {built.output, list.output, bad.output}) {
    EXPECT_EQ(output.find('\x1b'), std::string::npos) << output;
    EXPECT_EQ(output.find('\xff'), std::string::npos) << output;
  }
  EXPECT_FALSE(fs::exists("hacked"));
}

TEST_F(DataProgramTest, InterruptedBuildSaysSoAndTheNextOneClearsWhatIsLeft) {
  std::ofstream words(temp_.path() / "words.txt");
  for (int i = 0; i < 250'000; ++i) words << "word" << i * 7919 % 100'003 << (i % 9 ? ' ' : '\n');
  words.close();
  const fs::path output = temp_.path() / "output";
  const std::vector<std::string> words_of_build = {
      "scalelaw-data", "build",      (temp_.path() / "words.txt").string(),
      "--name",        "words",      "--tokenizer",
      "bpe:280",       "--split-by", "piece",
      "--data",        data()};
  const pid_t build = start_program(words_of_build, output);
  for (int i = 0; i < 50'000 && !fs::exists(fs::path(data()) / ".words.build"); ++i) usleep(100);
  kill(build, SIGINT);
  EXPECT_EQ(wait_for(build).exit_code, 3);
  std::ostringstream said;
  said << std::ifstream(output).rdbuf();
  EXPECT_NE(said.str().find("interrupted; the same command builds words anew"), std::string::npos)
      << said.str();
  EXPECT_EQ(run_program(words_of_build).exit_code, 0);
  EXPECT_FALSE(fs::exists(fs::path(data()) / ".words.build"));
}

TEST_F(DataProgramTest, DamagedShardEndsVerifyWithTwo) {
  ASSERT_EQ(build().exit_code, 0);
  const fs::path shard = fs::path(data()) / "lines/train.tokens";
  fs::resize_file(shard, fs::file_size(shard) - 2);
  const auto result = run({"verify", "lines"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("train.tokens: is cut short"), std::string::npos) << result.output;
}

TEST_F(DataProgramTest, VerifyFindsEveryKindOfDamageAndSaysWhatToDo) {
  ASSERT_EQ(run({"build", source(), "--name", "whole", "--tokenizer", "bpe:300"}).exit_code, 0);
  const fs::path whole = fs::path(data()) / "whole", broken = fs::path(data()) / "broken";
  const auto flip = [&](const std::string& file, std::streamoff at) {
    std::fstream stream(broken / file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(at);
    const int byte = stream.get();
    stream.seekp(at);
    stream.put(static_cast<char>(byte ^ 1));
  };
  const auto edit = [&](const std::string& from, const std::string& to) {
    std::stringstream text;
    text << std::ifstream(broken / "data_set.json").rdbuf();
    std::string edited = text.str();
    ASSERT_NE(edited.find(from), std::string::npos);
    edited.replace(edited.find(from), from.size(), to);
    std::ofstream(broken / "data_set.json") << edited;
  };
  struct Damage {
    std::function<void()> make;
    std::string said;
  };
  const std::vector<Damage> kinds = {
      {[&] { flip("train.tokens", 5000); }, "broken/train.tokens: tokens are damaged"},
      {[&] { flip("val.tokens", 20); }, "broken/val.tokens: "},
      {[&] { flip("tokenizer.model", 300); }, "broken/tokenizer.model: is not the tokenizer"},
      {[&] { fs::resize_file(broken / "test.tokens", 4200); }, "broken/test.tokens: is cut short"},
      {[&] { std::ofstream(broken / "test.tokens", std::ios::app) << "more"; },
       "broken/test.tokens: "},
      {[&] { fs::remove(broken / "val.tokens"); }, "broken/val.tokens: "},
      {[&] { fs::remove(broken / "tokenizer.model"); }, "broken/tokenizer.model: is not there"},
      {[&] { fs::remove(broken / "data_set.json"); }, "broken: is incomplete"},
      {[&] { edit("\"seed\": 1", "\"seed\": 2"); }, "broken/data_set.json: is damaged"},
      {[&] { edit("\"tokens\": ", "\"tokens\": 1"); }, "broken/data_set.json: is damaged"}};
  for (const Damage& damage : kinds) {
    fs::remove_all(broken);
    fs::copy(whole, broken, fs::copy_options::recursive);
    damage.make();
    const auto result = run({"verify"});
    EXPECT_EQ(result.exit_code, 2) << damage.said;
    EXPECT_NE(result.output.find(damage.said), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("set again"), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("whole: whole\n"), std::string::npos) << result.output;
  }
}

TEST_F(DataProgramTest, InspectShowsHowWordsAreCutAndWhatTestSharesWithTrain) {
  const std::string said = "a run of words that is long enough to be seen in both of them ";
  std::ofstream(temp_.path() / "train.jsonl") << R"({"text": "first )" << said << "here\"}\n";
  std::ofstream(temp_.path() / "test.jsonl") << R"({"text": "last )" << said << "there\"}\n";
  ASSERT_EQ(run({"build", (temp_.path() / "train.jsonl").string(), "--val", "0", "--test",
                 (temp_.path() / "test.jsonl").string(), "--name", "two", "--tokenizer", "bytes"})
                .exit_code,
            0);
  const std::string text = run({"inspect", "two"}).output;
  EXPECT_NE(text.find("test in train: 60.000% of 5 runs of 13 words"), std::string::npos) << text;
  EXPECT_NE(text.find("such as: a run of words that is long enough to be seen in both\n"),
            std::string::npos)
      << text;
  const auto json = nlohmann::json::parse(run({"inspect", "two", "--json"}).output)["inspection"];
  EXPECT_EQ(json["overlap_with_train"]["test"]["runs_in_train"], 3);
  EXPECT_EQ(json["splits"]["test"]["words"], 17);
  EXPECT_EQ(json["splits"]["test"]["bytes_per_token"], 1.0);
}

TEST_F(DataProgramTest, WeightedSourcesAndTheirEpochsAreShown) {
  std::ofstream more(temp_.path() / "more.jsonl");
  for (int i = 0; i < 30; ++i) more << R"({"text": "quite another text )" << i << "\"}\n";
  more.close();
  const std::string other = (temp_.path() / "more.jsonl").string();
  const auto built =
      run({"build", source(), other, "--weight", source() + "=3", "--weight", other + "=25%",
           "--tokens", "4k", "--name", "mix", "--tokenizer", "bytes", "--val", "0", "--test", "0"});
  ASSERT_EQ(built.exit_code, 0) << built.output;
  EXPECT_NE(built.output.find("train is a mixture by tokens"), std::string::npos) << built.output;
  const auto mixture = nlohmann::json::parse(run({"inspect", "mix", "--json"}).output)["mixture"];
  EXPECT_NEAR(mixture[0]["share"].get<double>(), 3 / 3.25, 1e-12);
  const auto trained = run({"build", source(), other, "--weight", source() + "=3", "--weight",
                            other + "=3", "--name", "trained", "--tokenizer", "bpe:300",
                            "--tokenizer-sample", "9kB", "--val", "0", "--test", "0"});
  EXPECT_NE(trained.output.find(" pieces, where a weighted source had no more (of 9,000 wanted; it "
                                "repeats none)"),
            std::string::npos)
      << trained.output;
  EXPECT_EQ(run({"build", source(), "--tokens", "4k", "--name", "x"}).exit_code, 2);
  EXPECT_EQ(run({"build", source(), other, "--weight", other + "=1", "--name", "x"}).exit_code, 2);
}

// An option of several values would take the sources behind it for its own.
TEST_F(DataProgramTest, ASourceBehindAnOptionIsASource) {
  for (const std::string folder : {"a", "b"}) {
    fs::create_directories(temp_.path() / folder);
    std::ofstream(temp_.path() / folder / "old.md") << "of " << folder << "\n";
    std::ofstream(temp_.path() / folder / "text.md") << "text of " << folder << "\n";
    std::ofstream(temp_.path() / folder / "text.txt") << "plain text of " << folder << "\n";
  }
  const std::string a = (temp_.path() / "a").string(), b = (temp_.path() / "b").string();
  const auto files = [&](const std::vector<std::string>& words, const std::string& name) {
    std::vector<std::string> arguments = {"build", a};
    arguments.insert(arguments.end(), words.begin(), words.end());
    arguments.insert(arguments.end(), {b, "--name", name, "--tokenizer", "bytes", "--val", "0",
                                       "--test", "0", "--json", "--quiet"});
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    const auto set = nlohmann::json::parse(result.output);
    std::vector<std::string> read;
    for (const auto& file : set["sources"][0]["first_files"]) read.push_back(file["file"]);
    return read;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(files({"--text-suffix", ".md"}, "suffix"),
            (Names{"a/old.md", "a/text.md", "b/old.md", "b/text.md"}));
  EXPECT_EQ(files({"--exclude", "*text.md", "--text-suffix", ".md", "--text-suffix", ".txt",
                   "--exclude", "a/old.md"},
                  "excluded"),
            (Names{"a/text.txt", "b/old.md", "b/text.txt"}));
  const std::string said = run({"build", a + "/text.md", "--name", "x"}).output;
  EXPECT_NE(said.find("names others in place of .txt"), std::string::npos) << said;
}

TEST_F(DataProgramTest, TokenizersOfOtherLibrariesAreAnsweredWithTheWayRound) {
  for (const char* name : {"tokenizer.json", "merges.txt"}) {
    std::ofstream(temp_.path() / name) << "{}";
    const auto result =
        run({"build", source(), "--name", "x", "--tokenizer", (temp_.path() / name).string()});
    EXPECT_EQ(result.exit_code, 2);
    for (const char* part : {name, "python3 scripts/encode_hf.py --tokenizer", "data import"}) {
      EXPECT_NE(result.output.find(part), std::string::npos) << result.output;
    }
    EXPECT_FALSE(fs::exists(data()));
  }
}

TEST_F(DataProgramTest, TheWayRoundNamesFilesThatItReadsAndTheBuildsOptions) {
  std::ofstream(temp_.path() / "tokenizer.json") << "{}";
  fs::create_directories(temp_.path() / "books");
  for (const char* name : {"a.txt", "b.jsonl.gz", "c.md"}) {
    std::ofstream(temp_.path() / "books" / name) << "text";
  }
  std::ofstream(temp_.path() / "packed.jsonl.zst") << "text";
  const std::string in = temp_.path().string() + "/";
  const auto said = [&](const std::vector<std::string>& words) {
    std::vector<std::string> arguments = {"build"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    arguments.insert(arguments.end(), {"--name", "x", "--tokenizer", in + "tokenizer.json"});
    return run(arguments).output;
  };
  const std::string begin = "--out ids/ --name x";
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{in + "books"},
       " --val 0.02 --test 0.02 " + in + "books/a.txt " + in + "books/b.jsonl.gz`,"},
      {{in + "books/a*", "--val", "0", "--test", "5%"},
       " --val 0 --test 0.05 " + in + "books/a.txt`,"},
      {{in + "books/a.txt", "--val", "0", "--test", in + "books/b.jsonl.gz", "--jsonl-key", "body"},
       " --jsonl-key body --val 0 --test " + in + "books/b.jsonl.gz " + in + "books/a.txt`,"},
      {{in + "books/a.txt", "--val", "0", "--test", in + "books"},
       " --val 0 --test FILE " + in + "books/a.txt` (FILES: "},
      {{"-"}, " --val 0.02 --test 0.02 FILES` (FILES: .jsonl or .txt, plain, .gz or .xz;"},
      {{in + "packed.jsonl.zst"}, " --val 0.02 --test 0.02 FILES` (FILES: "},
      {{in + "books", "--text-suffix", ".md"}, " --val 0.02 --test 0.02 FILES` (FILES: "}};
  for (const auto& [words, part] : cases) {
    const std::string output = said(words);
    EXPECT_NE(output.find(begin + part), std::string::npos) << begin + part << "\n" << output;
  }
}

TEST_F(DataProgramTest, DamagedSetHidesNoOther) {
  ASSERT_EQ(build().exit_code, 0);
  const fs::path root = data();
  fs::copy(root / "lines", root / "a", fs::copy_options::recursive);
  fs::copy(root / "lines", root / "b", fs::copy_options::recursive);
  fs::resize_file(root / "a/train.tokens", 0);
  fs::resize_file(root / "b/data_set.json", 30);
  for (const std::string verb : {"list", "verify"}) {
    const auto result = run({verb});
    EXPECT_EQ(result.exit_code, 2);
    for (const char* part : {"a/train.tokens: is cut short", "b/data_set.json: is damaged"}) {
      EXPECT_NE(result.output.find(part), std::string::npos) << verb << ": " << result.output;
    }
    EXPECT_NE(result.output.find("\nlines"), std::string::npos) << verb << ": " << result.output;
  }
}

TEST_F(DataProgramTest, HelpShowsAnExample) {
  for (const std::string verb : {"build", "inspect", "verify", "list"}) {
    const auto result = run_program({"scalelaw-data", verb, "--help"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.output.find("Example: scalelaw data " + verb), std::string::npos);
  }
}

TEST_F(DataProgramTest, BuildsRealBooks) {
  const char* given = std::getenv("SCALELAW_TEST_DATA");
  const fs::path root = given != nullptr ? given : SCALELAW_SOURCE_DIR "/../shared/data";
  const fs::path books = root / "text/gutenberg-val.jsonl.xz";
  if (!fs::exists(books)) GTEST_SKIP() << books << " is not there";
  const auto result =
      run({"build", books.string(), "--name", "books", "--tokenizer", "bpe:512", "--val", "5%",
           "--test", "10%", "--tokenizer-sample", "1MB", "--quiet", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json["counts"]["documents"], 232);
  int64_t bytes = 0;
  for (const auto& split : json["splits"]) bytes += split["text_bytes"].get<int64_t>();
  EXPECT_GT(bytes, 3'700'000);
  EXPECT_EQ(run({"verify"}).exit_code, 0);
}

// LibTorch and SentencePiece in one process corrupt memory.
TEST_F(DataProgramTest, LinksNoLibTorch) {
  const std::string listing = (temp_.path() / "ldd").string();
  const std::string command = "ldd " SCALELAW_BIN_DIR "/scalelaw-data > '" + listing + "'";
  if (std::system(command.c_str()) != 0) GTEST_SKIP() << "no ldd";
  std::ifstream in(listing);
  for (std::string line; std::getline(in, line);) {
    EXPECT_EQ(line.find("libtorch"), std::string::npos) << line;
    EXPECT_EQ(line.find("libc10"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace scalelaw
