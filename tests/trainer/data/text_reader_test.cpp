#include "trainer/data/text_reader.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <system_error>

#include "tests/support/compressed_file.h"
#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class TextReaderTest : public testing::Test {
 protected:
  fs::path put(const std::string& name, const std::string& content) const {
    const fs::path path = temp_.path() / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  fs::path put_packed(const std::string& name, const std::string& content) const {
    return put_compressed(temp_.path() / name, content);
  }
  std::vector<Document> read(const fs::path& path) const {
    std::vector<Document> documents;
    for (const SourceFile& file : find_sources({path.string()}, options_).files) {
      int64_t read_bytes = 0;
      read_documents(
          file, options_, [&](Document d) { documents.push_back(std::move(d)); },
          [&](int64_t done) {
            EXPECT_GE(done, read_bytes);
            read_bytes = done;
          });
      EXPECT_EQ(read_bytes, file.bytes);
    }
    return documents;
  }
  void expect_fault(const fs::path& path, const std::string& part) const {
    try {
      read(path);
      FAIL() << path << " was read";
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
    }
  }

  TempDir temp_;
  SourceOptions options_;
};

TEST_F(TextReaderTest, TextFileIsOneDocumentByteForByte) {
  const std::string text = "\ttab  two spaces\r\nnächste\n\n\n";
  const auto documents = read(put("a.txt", text));
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].text, text);
}

TEST_F(TextReaderTest, JsonLinesHaveADocumentALine) {
  const auto documents =
      read(put("a.jsonl", "{\"text\": \"one\\ttwo\"}\n\n{\"id\": 7, \"text\": \"\\u00e9\"}"));
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].text, "one\ttwo");
  EXPECT_EQ(documents[1].text, "é");
  EXPECT_EQ(documents[1].line, 3);
}

TEST_F(TextReaderTest, CompressionsReadAsThePlainFile) {
  std::string lines;
  for (int i = 0; i < 60000; ++i) {
    lines += "{\"text\": \"document " + std::to_string(i) + " of some words\"}\n";
  }
  ASSERT_GT(lines.size(), std::size_t{2} << 20);  // several chunks
  for (const char* name : {"a.jsonl.gz", "a.jsonl.xz", "a.jsonl.zst"}) {
    const auto documents = read(put_packed(name, lines));
    ASSERT_EQ(documents.size(), 60000u) << name;
    EXPECT_EQ(documents[59999].text, "document 59999 of some words");
    EXPECT_EQ(documents[59999].line, 60000);
  }
  EXPECT_EQ(read(put_packed("b.txt.gz", lines)).at(0).text, lines);
}

TEST_F(TextReaderTest, DamagedCompressedFileIsRefused) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i * 7919) + " ";
  for (const char* name : {"a.txt.gz", "a.txt.xz", "a.txt.zst"}) {
    const fs::path path = put_packed(name, text);
    fs::resize_file(path, fs::file_size(path) / 2);
    expect_fault(path, "cannot be unpacked, it is damaged or cut short (");
  }
  expect_fault(put("plain.txt.gz", "this was never packed"), "is not compressed");
  expect_fault(put("empty.txt.gz", ""), "cannot be unpacked, it is damaged or cut short (");
}

TEST_F(TextReaderTest, FoldersPatternsAndExclusionsFindFilesInOneOrder) {
  put("t/b.txt", "b");
  put("t/sub/a.txt", "a");
  put("t/sub/c.jsonl", "{\"text\": \"c\"}");
  put("t/picture.png", "no");
  put("t/skip/d.txt", "d");
  options_.exclude = {"t/skip/*"};
  const SourceList list = find_sources({(temp_.path() / "t").string()}, options_);
  std::vector<std::string> labels;
  for (const SourceFile& file : list.files) labels.push_back(file.label);
  EXPECT_EQ(labels, (std::vector<std::string>{"t/b.txt", "t/sub/a.txt", "t/sub/c.jsonl"}));
  EXPECT_EQ(list.other_files, 1);
  EXPECT_EQ(list.excluded_files, 1);
  EXPECT_EQ(find_sources({(temp_.path() / "t/sub/*").string()}, options_).files.size(), 2u);
  EXPECT_EQ(find_sources({(temp_.path() / "t/").string()}, options_).files[0].label, "t/b.txt");
}

TEST_F(TextReaderTest, SourcesThatCannotBeReadAreNamed) {
  expect_fault(temp_.path() / "nowhere.txt", "is not there");
  expect_fault(put("a.pdf", "x"), "of a kind that is not read");
  fs::create_directory(temp_.path() / "hollow");
  expect_fault(temp_.path() / "hollow", "no file to read");
}

TEST_F(TextReaderTest, TextThatIsNotUtf8NamesFileLineAndByte) {
  expect_fault(put("a.txt", "one\ntwo \xE9t\xE9\n"), "line 2: byte 8 of the file is not UTF-8");
  expect_fault(put_packed("a.txt.gz", "one\ntwo \xE9t\xE9\n"),
               "line 2: byte 8 of the unpacked file is not UTF-8");
  expect_fault(put("a.jsonl", "{\"text\": \"fine\"}\n{\"text\": \"\xFF\"}\n"),
               "line 2: byte 10 of the line is not UTF-8");
}

TEST_F(TextReaderTest, JsonLinesFaultsNameFileAndLine) {
  expect_fault(put("a.jsonl", "{\"text\": \"fine\"}\n{\"text\": \n"), "line 2: not JSON: ");
  expect_fault(put("b.jsonl", "[1]\n"), "line 1: not a JSON object but array");
  expect_fault(put("e.jsonl", "{\"text\": \"\\ud800 abc\"}\n"),
               "line 1: not JSON: invalid string: surrogate U+D800..U+DBFF must be followed by "
               "U+DC00..U+DFFF");
  expect_fault(put("f.jsonl", "{\"text\": 1e999}\n"), "line 1: not JSON: number overflow");
  expect_fault(put("c.jsonl", "{\"body\": \"x\"}\n"),
               "no key \"text\"; --jsonl-key names another "
               "(keys with text: body)");
  expect_fault(put("d.jsonl", "{\"text\": 7}\n"), "\"text\" is not a string");
  expect_fault(put("g.jsonl", "{\"text\": [\"a\"], \"b\": \"c\"}\n"), "\"text\" is not a string");
  expect_fault(put("h.jsonl", "{\"text\": \"a\", \"text\": 7}\n"), "\"text\" is there twice");
  expect_fault(put("i.jsonl", "[{\"text\": \"a\"}]\n"), "line 1: not a JSON object but array");
  expect_fault(put("j.jsonl", "{\"a\": {\"text\": \"a\"}}\n"), "no key \"text\"");
}

TEST_F(TextReaderTest, DocumentOverTheLimitEndsWithFileAndLineAndTheNextSmallerIsRead) {
  EXPECT_EQ(options_.most_document_bytes, std::size_t{1} << 30) << "as docs/data.md says";
  options_.most_document_bytes = 3'000'000;  // several pieces of a file's reading
  const std::string much(options_.most_document_bytes, 'x');
  const auto written = [&](const std::string& name, const std::string& text) {
    return fs::path(name).extension() == ".gz" ? put_packed(name, text) : put(name, text);
  };
  for (const std::string ending : {"", ".gz"}) {
    EXPECT_EQ(read(written("a.txt" + ending, much))[0].text.size(), much.size());
    expect_fault(written("b.txt" + ending, much + "x"), ": a document of over 3M bytes");
    const std::string line = R"({"text": ")" + much.substr(12) + "\"}\n";
    ASSERT_EQ(line.size(), much.size() + 1);
    EXPECT_EQ(read(written("a.jsonl" + ending, line + line)).size(), 2u);
    for (const char* last : {"", "\n"}) {
      expect_fault(written("b.jsonl" + ending, line + " " + line.substr(0, much.size()) + last),
                   ": line 2: a document of over 3M bytes");
    }
  }
  options_.most_document_bytes = 20;  // less than one piece
  expect_fault(put("c.jsonl", "{\"text\": \"short\"}\n{\"text\": \"not short\"}\n"),
               ": line 2: a document of over 20 bytes");
}

// A file of holes costs no disk, and is given up long before its end.
TEST_F(TextReaderTest, FileFarOverTheLimitIsNotReadToItsEnd) {
  constexpr std::uintmax_t kBytes = std::uintmax_t{1} << 40;
  rlimit most{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &most), 0);
  if (most.rlim_cur < kBytes) GTEST_SKIP() << "a limit (ulimit -f) lets no file be so long";
  const fs::path file = put("huge.txt", "");
  std::error_code refused;
  fs::resize_file(file, kBytes, refused);
  if (refused) GTEST_SKIP() << "the file system takes no file so long: " << refused.message();
  options_.most_document_bytes = std::size_t{4} << 20;
  expect_fault(file, ": a document of over 4 MiB: ");
}

// A tree of such a line, built with a callback, took eight seconds; one by recursion, all of the
// stack.
TEST_F(TextReaderTest, JsonLinesOfManyOrDeepElementsAreRead) {
  std::string many = "{\"x\": [{}", deep = "{\"x\": ";
  for (int i = 0; i < 200'000; ++i) many += ",{}";
  deep += std::string(500'000, '[') + std::string(500'000, ']');
  for (const std::string& line : {many + "], \"text\": \"a\"}", deep + ", \"text\": \"a\"}"}) {
    const std::vector<Document> documents = read(put("big.jsonl", line));
    ASSERT_EQ(documents.size(), 1u);
    EXPECT_EQ(documents[0].text, "a");
  }
}

}  // namespace
}  // namespace scalelaw
