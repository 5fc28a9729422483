#include <gtest/gtest.h>
#include <sys/stat.h>

#include <numeric>

#include "tests/support/foreign_files.h"
#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"
#include "trainer/data/foreign/find_layout.h"
#include "trainer/data/foreign/id_reader.h"
#include "trainer/data/foreign/megatron.h"
#include "trainer/data/foreign/npy.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

const std::vector<int64_t> kIds = {0, 1, 50256, 7, 50256, 300, 65535};

class ForeignReaders : public testing::Test {
 protected:
  fs::path put(const std::string& name, const std::string& bytes) const {
    return put_bytes(temp_.path() / name, bytes);
  }
  static std::vector<int64_t> read(const TokenLayout& layout, int64_t n_vocab = 65536) {
    std::vector<int64_t> ids;
    read_ids(layout, n_vocab,
             [&](auto block) { ids.insert(ids.end(), block.begin(), block.end()); });
    return ids;
  }
  // Everything that is wrong with a file is said with its name, when it is opened or when it is
  // read.
  static void expect_fault(const fs::path& file, const std::string& part,
                           std::optional<IdType> raw = {}, int64_t n_vocab = 65536) {
    try {
      read(find_layout(file, raw), n_vocab);
      FAIL() << file << " was read; expected: " << part;
    } catch (const ConfigError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find(part), std::string::npos) << message;
      EXPECT_NE(message.find(file.stem().string()), std::string::npos) << message;
    }
  }
  fs::path put_pair(const std::string& name, const MegatronIndex& index,
                    const std::string& ids) const {
    put(name + ".bin", ids);
    return put(name + ".idx", index.bytes());
  }

  TempDir temp_;
};

TEST_F(ForeignReaders, NpyOfEveryIntegerTypeAndVersionGivesItsIds) {
  const std::vector<int64_t> small = {0, 1, 127};
  const auto read_npy = [&](const std::string& descr, const std::string& payload, char major = 1) {
    return read(find_layout(put("a.npy", npy_bytes(descr, "(3,)", payload, major)), {}));
  };
  EXPECT_EQ(read_npy("'<u2'", packed<uint16_t>(small)), small);
  EXPECT_EQ(read_npy("'<i4'", packed<int32_t>(small), 2), small);
  EXPECT_EQ(read_npy("'<u4'", packed<uint32_t>(small), 3), small);
  EXPECT_EQ(read_npy("'<i8'", packed<int64_t>(small)), small);
  EXPECT_EQ(read_npy("'<u8'", packed<uint64_t>(small)), small);
  EXPECT_EQ(read_npy("'<i2'", packed<int16_t>(small)), small);
  EXPECT_EQ(read_npy("'|u1'", packed<uint8_t>(small)), small);
  EXPECT_EQ(read_npy("\"|i1\"", packed<int8_t>(small)), small);
  const auto fortran =
      put("f.npy", npy_bytes("'<u2'", "(3L,)", packed<uint16_t>(small), 1, "True"));
  EXPECT_EQ(read(find_layout(fortran, {})), small) << "one dimension has one order";
}

TEST_F(ForeignReaders, NpyOfAnythingElseIsRefusedWithItsReason) {
  const std::string three = packed<uint16_t>(std::vector<int>{1, 2, 3});
  const auto refuse = [&](const std::string& bytes, const std::string& part) {
    expect_fault(put("a.npy", bytes), part);
  };
  refuse(npy_bytes("'|O'", "(3,)", three), "Python objects");
  refuse(npy_bytes("'<f4'", "(1,)", "1234"), "no integers");
  refuse(npy_bytes("'|b1'", "(1,)", "1"), "no integers");
  refuse(npy_bytes("'>u2'", "(3,)", three), "big-endian");
  refuse(npy_bytes("[('a', '<u2')]", "(3,)", three), "records with fields");
  refuse(npy_bytes("'<u2'", "(1, 3)", three, 1, "True"), "array of 2 dimensions");
  refuse(npy_bytes("'<u2'", "()", three), "array of 0 dimensions");
  refuse(npy_bytes("'<u2'", "(0,)", ""), "holds no ids");
  refuse(npy_bytes("'<u2'", "(4,)", three), "cut short");
  refuse(npy_bytes("'<u2'", "(2,)", three), "too long");
  refuse(npy_bytes("'<u8'", "(9223372036854775807,)", three), "cut short");
  refuse(npy_bytes("'<u2'", "(99999999999999999999,)", three), "header is damaged");
  refuse(npy_bytes("'<u2'", "(-3,)", three), "header is damaged");
  refuse(npy_bytes("'<u2'", "(3,)", three, 4), "version 4.0");
  refuse(npy_bytes("'<u2'", "(3,", three), "header is damaged");
  refuse(npy_bytes("'<u2'", "(3,), 'x': 1", three), "header is damaged");
  refuse("PK\x03\x04 a zip", "no .npy file");
  refuse("\x93NUM", "cut short");
  refuse(std::string("\x93NUMPY\x02\0\xff\xff\xff\xff", 12), "bytes for itself");
  const std::string whole = npy_bytes("'<u2'", "(3,)", three);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const auto file = put("cut.npy", whole.substr(0, bytes));
    EXPECT_THROW(read_npy_layout(file), ConfigError) << bytes;
  }
}

TEST_F(ForeignReaders, LlmCFilesOfBothKindsGiveTheirIds) {
  const auto gpt2 = put("g.bin", llm_c_bytes(20240520, 1, 7, packed<uint16_t>(kIds)));
  const auto llama = put("l.bin", llm_c_bytes(20240801, 7, 7, packed<uint32_t>(kIds)));
  EXPECT_EQ(read(find_layout(gpt2, {})), kIds);
  EXPECT_EQ(read(find_layout(llama, {})), kIds);
  EXPECT_EQ(find_layout(gpt2, {}).format, "llm.c");
  EXPECT_EQ(read(find_layout(gpt2, IdType::kU32)), kIds) << "a header counts";
}

TEST_F(ForeignReaders, LlmCFilesOfOtherKindsVersionsOrLengthsAreRefused) {
  const std::string ids = packed<uint16_t>(kIds);
  const auto refuse = [&](const std::string& bytes, const std::string& part) {
    expect_fault(put("a.bin", bytes), part);
  };
  refuse(llm_c_bytes(20240520, 2, 7, ids), "version 2");
  refuse(llm_c_bytes(20240801, 1, 7, ids), "version 1");
  refuse(llm_c_bytes(20240520, 1, 8, ids), "cut short");
  refuse(llm_c_bytes(20240520, 1, 6, ids), "too long");
  refuse(llm_c_bytes(20240520, 1, -1, ids), "cut short");
  refuse(llm_c_bytes(20240520, 1, 0, ""), "no ids");
  refuse(llm_c_bytes(20240522, 1, 7, ids), "multiple-choice");
  refuse(llm_c_bytes(20240326, 3, 7, ids), "a model of llm.c");
}

TEST_F(ForeignReaders, RawIdsAreReadAsTheirTypeSaysAndNanoGptsAsU16) {
  EXPECT_EQ(read(find_layout(put("train.bin", packed<uint16_t>(kIds)), {})), kIds);
  EXPECT_EQ(read(find_layout(put("ids.dat", packed<uint32_t>(kIds)), IdType::kU32)), kIds);
  expect_fault(put("ids.dat", packed<uint32_t>(kIds)), "--dtype");
  expect_fault(put("odd.bin", packed<uint16_t>(kIds) + "x"), "no whole number");
  expect_fault(put("none.bin", ""), "holds no ids");

  std::vector<int> many(1000);
  std::iota(many.begin(), many.end(), 60'000);
  const auto wide = put("wide.bin", packed<uint32_t>(many));
  expect_fault(wide, "look like u32");
  EXPECT_EQ(read(find_layout(wide, IdType::kU32), 70'000).size(), 1000u);
  EXPECT_EQ(read(find_layout(wide, IdType::kU16)).size(), 2000u) << "where it is said, it is so";
}

TEST_F(ForeignReaders, MegatronPairsGiveTheirIdsAndWhereDocumentsEnd) {
  // Two sequences, one of none, and a document without sequences.
  const MegatronIndex index{.lengths = {2, 0, 4, 1}, .documents = {0, 2, 2, 3, 4}};
  const auto idx = put_pair("set", index, packed<uint16_t>(kIds));
  for (const fs::path& name : {idx, temp_.path() / "set.bin", temp_.path() / "set"}) {
    const TokenLayout layout = find_layout(name, {});
    EXPECT_EQ(layout.file.filename(), "set.bin");
    EXPECT_EQ(layout.document_ends, (std::vector<int64_t>{2, 6, 7}));
    EXPECT_EQ(read(layout), kIds);
  }
  const std::vector<int64_t> small = {3, 2, 1};
  const auto of_type = [&](uint8_t type, int64_t id_bytes, const std::string& ids) {
    return read(find_layout(
        put_pair("t", {.type = type, .id_bytes = id_bytes, .lengths = {3}, .documents = {0, 1}},
                 ids),
        {}));
  };
  EXPECT_EQ(of_type(1, 1, packed<uint8_t>(small)), small);
  EXPECT_EQ(of_type(2, 1, packed<int8_t>(small)), small);
  EXPECT_EQ(of_type(3, 2, packed<int16_t>(small)), small);
  EXPECT_EQ(of_type(4, 4, packed<int32_t>(small)), small);
  EXPECT_EQ(of_type(5, 8, packed<int64_t>(small)), small);
  EXPECT_EQ(of_type(9, 4, packed<uint32_t>(small)), small);
  EXPECT_EQ(of_type(10, 8, packed<uint64_t>(small)), small);
}

TEST_F(ForeignReaders, DamagedMegatronPairsAreRefusedWithTheirReason) {
  const std::string ids = packed<uint16_t>(kIds);
  const MegatronIndex good{.lengths = {3, 4}, .documents = {0, 1, 2}};
  const auto refuse = [&](const MegatronIndex& index, const std::string& part) {
    expect_fault(put_pair("set", index, ids), part);
  };
  const auto with = [&](auto change) {
    MegatronIndex index = good;
    change(index);
    return index;
  };
  refuse(with([](auto& i) { i.type = 6; }), "floats");
  refuse(with([](auto& i) { i.type = 11; }), "no type of ids");
  refuse(with([](auto& i) { i.modes = "ab"; }), "multimodal");
  refuse(with([](auto& i) { i.modes = "abc"; }), "cut short or damaged");
  refuse(with([](auto& i) { i.lengths = {3, -4}; }), "sequence 1 has -4 ids");
  refuse(with([](auto& i) { i.id_bytes = 4; }), "sequence 1 does not begin where");
  refuse(with([](auto& i) { i.documents = {1, 2}; }), "do not begin with 0");
  refuse(with([](auto& i) { i.documents = {0}; }), "do not begin with 0");
  refuse(with([](auto& i) { i.documents = {0, 2, 1}; }), "not after 2");
  refuse(with([](auto& i) { i.documents = {0, 3}; }), "of 2");
  refuse(with([](auto& i) { i.documents = {0, 1}; }), "end before sequence 1 of 2");
  refuse(with([](auto& i) { i.lengths = {3, 5}; }), "cut short");
  refuse(with([](auto& i) { i.lengths = {3, 3}; }), "too long");
  const std::string whole = good.bytes();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const auto file = put("set.idx", whole.substr(0, bytes));
    EXPECT_THROW(read_megatron_layout(file), ConfigError) << bytes;
  }
  std::string huge = whole;
  huge.replace(18, 8, packed_one(uint64_t{1} << 62));
  expect_fault(put("set.idx", huge), "cut short or damaged");
  std::string newer = whole;
  newer[9] = 2;
  expect_fault(put("set.idx", newer), "version 2");
  put("alone.idx", whole);
  expect_fault(temp_.path() / "alone.idx", "cannot be opened");
}

TEST_F(ForeignReaders, AnIdOutsideTheVocabularyIsNamedByFilePlaceAndValue) {
  expect_fault(put("a.bin", packed<uint16_t>(kIds)), "place 2 is 50256", {}, 50256);
  const std::vector<int64_t> negative = {5, 6, -100};
  expect_fault(put("a.npy", npy_bytes("'<i8'", "(3,)", packed<int64_t>(negative))),
               "place 2 is -100");
  const std::vector<uint64_t> large = {5, uint64_t{1} << 63};
  expect_fault(put("a.npy", npy_bytes("'<u8'", "(2,)", packed<uint64_t>(large))),
               "place 1 is 9223372036854775808");
  // Behind the first block too.
  std::vector<uint16_t> many(300'000, 1);
  many[299'999] = 9;
  expect_fault(put("many.bin", packed<uint16_t>(many)), "place 299999 is 9", IdType::kU16, 9);
}

TEST_F(ForeignReaders, WhatIsNoFileIsRefusedWithoutWaitingForIt) {
  expect_fault(temp_.path() / "nowhere.bin", "cannot be opened");
  fs::create_directory(temp_.path() / "folder.bin");
  expect_fault(temp_.path() / "folder.bin", "is a folder");
  ASSERT_EQ(::mkfifo((temp_.path() / "pipe.bin").c_str(), 0600), 0);
  expect_fault(temp_.path() / "pipe.bin", "no regular file");
}

TEST_F(ForeignReaders, AFileCutShortAfterItWasOpenedIsRefused) {
  const auto file = put("a.bin", packed<uint16_t>(kIds));
  const TokenLayout layout = find_layout(file, {});
  fs::resize_file(file, 6);
  EXPECT_THROW(read(layout), ConfigError);
}

}  // namespace
}  // namespace scalelaw
