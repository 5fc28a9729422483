#include "trainer/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <stdexcept>

#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/hash.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

template <typename T>
std::vector<T> values_of(const SafetensorView& tensor) {
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

class Safetensors : public testing::Test {
 protected:
  // Without syncing, which would take longer than all else here.
  void overwrite(std::string_view content) const {
    std::ofstream(file_, std::ios::binary) << content;
  }
  // A file with `header` as its JSON and `data` behind it.
  void write_raw(const std::string& header, const std::string& data) {
    write_raw(header, data, header.size());
  }
  void write_raw(const std::string& header, const std::string& data, uint64_t length) {
    std::string content(8, '\0');
    std::memcpy(content.data(), &length, 8);
    overwrite(content + header + data);
  }
  std::string fault() const {
    try {
      SafetensorsFile file(file_);
    } catch (const std::runtime_error& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(file_.string() + ": ")) << error.what();
      return error.what();
    }
    return "";
  }
  void expect_fault(const std::string& text) const {
    EXPECT_NE(fault().find(text), std::string::npos)
        << "'" << fault() << "' lacks '" << text << "'";
  }
  static std::string entry(const std::string& dtype, const std::string& shape, int64_t begin,
                           int64_t end) {
    return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[)" +
           std::to_string(begin) + "," + std::to_string(end) + "]}";
  }

  TempDir folder_;
  fs::path file_ = folder_.path() / "t.safetensors";
  std::vector<float> weights_ = {1.5f, -2.0f, 0.25f, 3.0f, 1e-30f, 7.0f};
  std::vector<int64_t> steps_ = {512, -1};
  std::vector<uint8_t> flags_ = {1, 0, 255};
  std::map<std::string, SafetensorView> tensors_ = {
      {"layers.0.weight", {"F32", {2, 3}, bytes_of(weights_)}},
      {"flags", {"U8", {3}, bytes_of(flags_)}},
      {"steps", {"I64", {2}, bytes_of(steps_)}},
      {"none", {"BF16", {0, 4}, {}}},
      {"scalar", {"F32", {}, bytes_of(weights_).first(4)}}};
};

TEST_F(Safetensors, RoundTrips) {
  write_safetensors(file_, tensors_, {{"step", "512"}, {"quoted", "a \"b\"\n\u00e9"}});
  const SafetensorsFile file(file_);
  ASSERT_EQ(file.tensors().size(), tensors_.size());
  for (const auto& [name, tensor] : tensors_) {
    EXPECT_EQ(file.at(name).dtype, tensor.dtype);
    EXPECT_EQ(file.at(name).shape, tensor.shape);
    EXPECT_TRUE(std::equal(tensor.bytes.begin(), tensor.bytes.end(), file.at(name).bytes.begin(),
                           file.at(name).bytes.end()));
  }
  EXPECT_EQ(values_of<int64_t>(file.at("steps")), steps_);
  EXPECT_EQ(file.metadata().at("step"), "512");
  EXPECT_EQ(file.metadata().at("quoted"), "a \"b\"\n\u00e9");
  EXPECT_EQ(file.metadata().at("xxh3_128").size(), 32u);
  EXPECT_THROW(file.at("absent"), std::runtime_error);
}

TEST_F(Safetensors, TheSameContentGivesTheSameBytes) {
  write_safetensors(file_, tensors_, {{"a", "b"}});
  const std::string first = read_whole_file(file_);
  write_safetensors(file_, tensors_, {{"a", "b"}});
  EXPECT_EQ(read_whole_file(file_), first);
}

TEST_F(Safetensors, AMovedFileKeepsItsViews) {
  write_safetensors(file_, tensors_, {});
  SafetensorsFile file(file_);
  const SafetensorsFile moved = std::move(file);
  EXPECT_EQ(values_of<float>(moved.at("layers.0.weight")), weights_);
}

TEST_F(Safetensors, HoldsNoTensorsAtAll) {
  write_safetensors(file_, {}, {});
  EXPECT_TRUE(SafetensorsFile(file_).tensors().empty());
}

TEST_F(Safetensors, MetadataAreReadFromTheHeadAlone) {
  const std::vector<float> values = {1, 2};
  write_safetensors(file_, {{"a", {"F32", {2}, bytes_of(values)}}}, {{"key", "value"}});
  const std::string whole = read_whole_file(file_);
  overwrite(whole.substr(0, whole.size() - 4));
  EXPECT_EQ(read_safetensors_metadata(file_).at("key"), "value");
  std::string changed = whole;
  changed.replace(changed.find("value"), 5, "other");
  for (const std::string& damaged :
       {std::string("abc"), whole.substr(0, 20), changed, std::string(8, '\xff') + whole}) {
    overwrite(damaged);
    EXPECT_THROW(read_safetensors_metadata(file_), DamagedFile);
  }
}

TEST_F(Safetensors, ReadsWhatPythonWrote) {
  const SafetensorsFile file(fs::path(SCALELAW_SOURCE_DIR) /
                             "tests/golden/safetensors/python.safetensors");
  EXPECT_EQ(values_of<float>(file.at("weight")), (std::vector<float>{0, 0.5f, 1, 1.5f, 2, 2.5f}));
  EXPECT_EQ(file.at("weight").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(values_of<int64_t>(file.at("steps")), (std::vector<int64_t>{-1, 1LL << 40}));
  EXPECT_EQ(values_of<uint8_t>(file.at("bytes")), (std::vector<uint8_t>{7}));
  EXPECT_EQ(file.at("empty").shape, (std::vector<int64_t>{0, 3}));
  EXPECT_EQ(file.metadata().at("format"), "pt");
}

TEST_F(Safetensors, WritesTheBytesThatPythonWasSeenToOpen) {
  const fs::path golden =
      fs::path(SCALELAW_SOURCE_DIR) / "tests/golden/safetensors/ours.safetensors";
  write_safetensors(file_, tensors_, {{"step", "512"}});
  EXPECT_EQ(read_whole_file(file_), read_whole_file(golden));
}

TEST_F(Safetensors, AFileCutShortAnywhereIsRefused) {
  write_safetensors(file_, tensors_, {{"step", "512"}});
  const std::string whole = read_whole_file(file_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    overwrite(std::string_view(whole).substr(0, size));
    ASSERT_NE(fault(), "") << size;
  }
  overwrite(whole + "x");
  expect_fault("bytes after the last tensor");
}

TEST_F(Safetensors, AFlippedBitInTheDataIsRefused) {
  write_safetensors(file_, tensors_, {});
  const std::string whole = read_whole_file(file_);
  uint64_t header = 0;
  std::memcpy(&header, whole.data(), 8);
  for (std::size_t at = 8 + header; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    overwrite(flipped);
    ASSERT_NE(fault().find("hash"), std::string::npos) << at;
  }
}

TEST_F(Safetensors, HeaderLengthIsCheckedAgainstTheFile) {
  write_raw("{}", "", 100);
  expect_fault("header length 100 is beyond the file");
  write_raw("{}", "", UINT64_MAX);
  expect_fault("header length");
  write_raw("{}", "", UINT64_MAX - 7);  // 8 + length would wrap around
  expect_fault("header length");
  // The head alone is not read into a block of what it claims to be.
  for (const uint64_t length : {uint64_t{3}, uint64_t{99'999'999}, UINT64_MAX - 7}) {
    write_raw("{}", "", length);
    try {
      read_safetensors_metadata(file_);
      ADD_FAILURE() << length;
    } catch (const DamagedFile& error) {
      EXPECT_NE(std::string(error.what())
                    .find("header length " + std::to_string(length) + " is beyond the file"),
                std::string::npos)
          << error.what();
    }
  }
}

TEST_F(Safetensors, HeadersOfAnotherFormAreRefused) {
  write_raw("[]", "");
  expect_fault("not a JSON object");
  write_raw("{\"a\":", "");
  expect_fault("cut short after 5 bytes");
  write_raw("{\"a\":1}", "");
  expect_fault("tensor a");
  write_raw("{\"a\":" + std::string(200000, '['), "");
  expect_fault("nested deeper than 64 levels");
  write_raw("{\"__metadata__\":{\"a\":1}}", "");
  EXPECT_NE(fault(), "");
  write_raw("{\"a\":" + entry("F31", "[1]", 0, 4) + "}", "1234");
  expect_fault("unknown dtype F31");
}

TEST_F(Safetensors, OffsetsMustTileTheData) {
  const std::string data = "01234567";
  write_raw("{\"a\":" + entry("F32", "[1]", 0, 4) + ",\"b\":" + entry("F32", "[1]", 4, 8) + "}",
            data);
  EXPECT_EQ(fault(), "");
  write_raw("{\"a\":" + entry("F32", "[1]", 0, 4) + ",\"b\":" + entry("F32", "[1]", 2, 6) + "}",
            data);
  expect_fault("overlap or leave a gap");
  write_raw("{\"a\":" + entry("F32", "[1]", 0, 4) + ",\"b\":" + entry("F32", "[1]", 0, 4) + "}",
            data);
  expect_fault("overlap or leave a gap");
  write_raw("{\"b\":" + entry("F32", "[1]", 4, 8) + "}", data);
  expect_fault("overlap or leave a gap");
  write_raw("{\"a\":" + entry("F32", "[1]", 8, 12) + "}", data);
  expect_fault("outside the file");
  write_raw("{\"a\":" + entry("F32", "[1]", 4, 0) + "}", data);
  expect_fault("outside the file");
  write_raw("{\"a\":" + entry("F32", "[1]", -4, 0) + "}", data);
  expect_fault("not two whole numbers");
  write_raw("{\"a\":" + entry("F32", "[2]", 0, 4) + "}", data);
  expect_fault("do not fit data_offsets");
}

TEST_F(Safetensors, ProductsThatOverflowAreRefused) {
  // 2^32 * 2^32 and 2^62 * 4 bytes are 0 in 64 bits.
  for (const char* shape : {"[4294967296,4294967296]", "[4611686018427387904]",
                            "[9223372036854775807,9223372036854775807]"}) {
    write_raw("{\"a\":" + entry("F32", shape, 0, 0) + "}", "");
    expect_fault("impossible shape");
  }
  for (const char* shape : {"[-1]", "[1.5]", "[18446744073709551616]", "[\"1\"]", "[null]"}) {
    write_raw("{\"a\":" + entry("F32", shape, 0, 0) + "}", "");
    expect_fault("a dimension is not a whole number");
  }
}

TEST_F(Safetensors, AWriterWhoseShapeAndBytesDifferIsRefusedAndLeavesNothing) {
  tensors_["flags"].shape = {4};
  EXPECT_THROW(write_safetensors(file_, tensors_, {}), std::invalid_argument);
  EXPECT_FALSE(fs::exists(file_));
}

TEST(Hash, IsXxh3OfTheBytes) {
  // Values of xxhash's own xxhsum -H2.
  EXPECT_EQ(hash_hex(""), "99aa06d3014798d86001c324468d497f");
  Hasher parts;
  parts.add(std::as_bytes(std::span(std::string_view("ab"))));
  parts.add(std::as_bytes(std::span(std::string_view("c"))));
  EXPECT_EQ(parts.hex(), hash_hex("abc"));
}

}  // namespace
}  // namespace scalelaw
