#include "trainer/data/data_set.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"
#include "trainer/data/out_of_reach.h"
#include "trainer/data/token_shard_writer.h"
#include "trainer/hash.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class DataSetTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(root() / "books");
    nlohmann::json splits;
    for (const Split split : {Split::kTrain, Split::kTest}) {
      TokenShardInfo info;
      info.n_vocab = 257;
      info.n_documents = 1;
      info.text_bytes = 3;
      info.tokenizer_hash = std::string(32, 'c');
      DataSetInfo set;
      set.folder = root() / "books";
      write_token_shard(shard_file(set, split), std::vector<uint32_t>{1, 2, 3, 256}, info);
      info = TokenShard::read_info(shard_file(set, split));
      splits[std::string(name(split))] = {
          {"tokens", 4}, {"documents", 1}, {"text_bytes", 3}, {"token_hash", info.token_hash}};
    }
    json_ = {{"version", 1},         {"name", "books"},
             {"tokenizer", "bytes"}, {"tokenizer_hash", std::string(32, 'c')},
             {"n_vocab", 257},       {"splits", splits}};
    save(json_);
  }
  fs::path root() const { return temp_.path(); }
  void save(const nlohmann::json& json) const {
    std::ofstream(root() / "books" / kDataSetFile) << json;
  }
  void expect_fault(const std::string& set, const std::string& part) const {
    try {
      open_data_set(root(), set);
      FAIL() << "opened";
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
  void expect_fault_after(const std::function<void(nlohmann::json&)>& change,
                          const std::string& part) const {
    nlohmann::json json = json_;
    change(json);
    save(json);
    expect_fault("books", part);
    save(json_);
  }

  TempDir temp_;
  nlohmann::json json_;
};

TEST_F(DataSetTest, OpensByNameAndByPath) {
  for (const std::string& name : {std::string("books"), (root() / "books").string()}) {
    const DataSetInfo set = open_data_set(root(), name);
    EXPECT_EQ(set.name, "books");
    EXPECT_EQ(set.n_vocab, 257);
    EXPECT_EQ(set.splits.size(), 2u);
    EXPECT_EQ(set.splits.at(Split::kTest).n_tokens, 4);
  }
  EXPECT_EQ(data_set_names(root()), std::vector<std::string>{"books"});
  EXPECT_TRUE(data_set_names(root() / "nowhere").empty());
}

TEST_F(DataSetTest, MissingSetNamesTheNearestAndTheCommand) {
  expect_fault("boks", "did you mean \"books\"?");
  expect_fault("boks", "scalelaw data build SOURCES --name boks");
  expect_fault("default", "scalelaw data build default");
  expect_fault(std::string(300, 'b'), "is not in");
}

// What is not seen may be there: neither called empty nor passed over. Also root meets such a
// place.
TEST_F(DataSetTest, FolderThatCannotBeLookedIntoIsNotCalledEmpty) {
  fs::create_directories(root() / "hidden");
  fs::create_symlink(kDataSetFile, root() / "hidden" / kDataSetFile);
  fs::create_directories(root() / "lost+found");
  fs::create_symlink(kDataSetFile, root() / "lost+found" / kDataSetFile);
  EXPECT_EQ(data_set_names(root()), (std::vector<std::string>{"books", "hidden"}));
  expect_fault("hidden",
               "hidden/data_set.json: Too many levels of symbolic links; make it readable");
  try {
    data_set_names(root() / "books" / kDataSetFile);
    FAIL() << "listed a file";
  } catch (const OutOfReach& error) {
    EXPECT_NE(error.fault().find("data_set.json: Not a directory"), std::string::npos);
  }
}

// Nobody is told to remove a folder that never was a data set, nor to build a set with a name that
// no build takes.
TEST_F(DataSetTest, ForeignFolderIsNoDataSetAndAPathNoName) {
  fs::create_directories(root() / "home/letters");
  for (const std::string& name : {std::string("home"), (root() / "home").string()}) {
    try {
      open_data_set(root(), name);
      FAIL() << "opened";
    } catch (const ConfigError& error) {
      const std::string what = error.what();
      EXPECT_NE(what.find("home: is no data set"), std::string::npos) << what;
      EXPECT_EQ(what.find("remove"), std::string::npos) << what;
    }
  }
  try {
    open_data_set(root(), "../books");
    FAIL() << "opened";
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string(error.what()).find("--name"), std::string::npos) << error.what();
  }
}

TEST_F(DataSetTest, IncompleteDamagedOrNewerSetIsRefused) {
  expect_fault_after([](auto& json) { json["version"] = 3; }, "version 3");
  expect_fault_after([](auto& json) { json.erase("n_vocab"); }, "\"n_vocab\" is missing");
  expect_fault_after([](auto& json) { json["splits"] = nlohmann::json::object(); }, "no split");
  expect_fault_after([](auto& json) { json["splits"]["train"]["tokens"] = 5; },
                     "is not the shard that");
  expect_fault_after([](auto& json) { json["splits"]["test"]["token_hash"] = "x"; },
                     "is not the shard that");
  std::ofstream(root() / "books" / kDataSetFile) << "{\"version\": ";
  expect_fault("books", "damaged");
  std::ofstream(root() / "books" / kDataSetFile)
      << "{\"version\": 1, \"splits\": " << std::string(300'000, '[') << std::string(300'000, ']')
      << "}";
  expect_fault("books", "damaged: nested deeper than 64 levels");
  for (const char* number : {"1.5", "1e300", "true", "18446744073709551615"}) {
    const auto value = nlohmann::json::parse(number);
    expect_fault_after([&](auto& json) { json["n_vocab"] = value; },
                       "\"n_vocab\" is missing or of the wrong type");
    expect_fault_after([&](auto& json) { json["version"] = value; }, "is damaged");
  }
  expect_fault_after([](auto& json) { json["name"] = "a\x1b[2J"; }, "no data set's name");
  fs::remove(root() / "books" / kDataSetFile);
  expect_fault("books", "incomplete");
  save(json_);
  fs::remove(root() / "books/test.tokens");
  expect_fault("books", "test.tokens: is not there");
}

TEST_F(DataSetTest, ShardOfAnotherTokenizerIsRefused) {
  expect_fault_after([](auto& json) { json["tokenizer_hash"] = std::string(32, 'd'); },
                     "was made by another tokenizer");
}

TEST_F(DataSetTest, TokenizerThatIsGoneOrAnotherIsRefused) {
  const std::string model = "pieces";
  for (const Split split : {Split::kTrain, Split::kTest}) {
    TokenShardInfo info;
    info.n_vocab = 257;
    info.n_documents = 1;
    info.text_bytes = 3;
    info.tokenizer_hash = hash_hex(model);
    DataSetInfo set;
    set.folder = root() / "books";
    write_token_shard(shard_file(set, split), std::vector<uint32_t>{1, 2, 3, 256}, info);
  }
  json_["tokenizer"] = "bpe:257";
  json_["tokenizer_hash"] = hash_hex(model);
  save(json_);
  expect_fault("books", "tokenizer.model: is not there");
  std::ofstream(root() / "books/tokenizer.model") << model;
  EXPECT_EQ(open_data_set(root(), "books").tokenizer, "bpe:257");
  std::ofstream(root() / "books/tokenizer.model") << "piecez";
  expect_fault("books", "tokenizer.model: is not the tokenizer that the set's tokens were made by");
}

TEST_F(DataSetTest, FileThatMayNotBeReadIsTheUsersToMend) {
  const fs::perms search = fs::perms::group_exec | fs::perms::others_exec;
  for (const fs::path& folder : {root(), root() / "books"}) {
    fs::permissions(folder, search, fs::perm_options::add);
  }
  // root may read anything: be nobody for a moment.
  const bool root_user = ::geteuid() == 0;
  for (const std::string file : {"train.tokens", "data_set.json"}) {
    fs::permissions(root() / "books" / file, fs::perms::none);
    if (root_user && ::seteuid(65534) != 0) GTEST_SKIP() << "root, and cannot become nobody";
    expect_fault("books", file + ": Permission denied");
    ASSERT_TRUE(!root_user || ::seteuid(0) == 0);
    fs::permissions(root() / "books" / file, fs::perms::all);
  }
  fs::permissions(root() / "books", fs::perms::none);
  ASSERT_TRUE(!root_user || ::seteuid(65534) == 0);
  expect_fault("books", "books/data_set.json: Permission denied; make it readable");
  EXPECT_THROW(data_set_names(root()), OutOfReach) << "it may be searched and not listed";
  expect_fault("boks", "is not in");
  ASSERT_TRUE(!root_user || ::seteuid(0) == 0);
  fs::permissions(root(), fs::perms::group_read | fs::perms::others_read, fs::perm_options::add);
  ASSERT_TRUE(!root_user || ::seteuid(65534) == 0);
  EXPECT_EQ(data_set_names(root()), std::vector<std::string>{"books"});
  ASSERT_TRUE(!root_user || ::seteuid(0) == 0);
  fs::permissions(root() / "books", fs::perms::all);
}

}  // namespace
}  // namespace scalelaw
