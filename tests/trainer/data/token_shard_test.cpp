#include "trainer/data/token_shard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <numeric>
#include <vector>

#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"
#include "trainer/data/token_shard_header.h"
#include "trainer/data/token_shard_writer.h"

// A server that is away: how many of the next reads fail, and with what.
static int reads_to_fail = 0, read_fault = 0;
extern "C" ssize_t pread(int descriptor, void* bytes, size_t size, off_t offset) {
  if (reads_to_fail == 0) return syscall(SYS_pread64, descriptor, bytes, size, offset);
  --reads_to_fail;
  errno = read_fault;
  return -1;
}

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class TokenShardTest : public testing::Test {
 protected:
  fs::path file() const { return temp_.path() / "train.tokens"; }

  // Tokens 0, 1, …, modulo the vocabulary.
  void write(int64_t n_vocab, std::size_t count) const {
    tokens_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      tokens_[i] = static_cast<uint32_t>(i * 7 % static_cast<std::size_t>(n_vocab));
    }
    TokenShardInfo info;
    info.n_vocab = n_vocab;
    info.n_documents = 3;
    info.text_bytes = 1234;
    info.tokenizer_hash = std::string(32, 'a');
    write_token_shard(file(), tokens_, info);
  }

  void flip(std::streamoff at) const {
    std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(at);
    const int byte = stream.get();
    stream.seekp(at);
    stream.put(static_cast<char>(byte ^ 1));
  }

  // The message of the ConfigError that opening throws, "" when it opens.
  std::string fault() const {
    try {
      const TokenShard shard(file());
      return "";
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(file().string()), std::string::npos);
      return error.what();
    }
  }
  void expect_fault(const std::string& part) const {
    EXPECT_NE(fault().find(part), std::string::npos) << fault();
  }

  TempDir temp_;
  mutable std::vector<uint32_t> tokens_;
};

TEST_F(TokenShardTest, GivesBackTokensOfTwoAndFourBytes) {
  for (const int64_t n_vocab : {257, 65536, 65537, 200000}) {
    write(n_vocab, 150000);
    const TokenShard shard(file());
    EXPECT_EQ(shard.info().token_bytes, n_vocab <= 65536 ? 2 : 4);
    EXPECT_EQ(shard.info().n_tokens, 150000);
    EXPECT_EQ(shard.info().n_vocab, n_vocab);
    EXPECT_EQ(shard.info().n_documents, 3);
    EXPECT_EQ(shard.info().text_bytes, 1234);
    EXPECT_EQ(shard.info().tokenizer_hash, std::string(32, 'a'));
    std::vector<int64_t> read(tokens_.size());
    shard.copy(0, read);
    EXPECT_TRUE(std::equal(read.begin(), read.end(), tokens_.begin()));
    std::vector<int64_t> last(2);
    shard.copy(149998, last);
    EXPECT_EQ(last[1], int64_t{tokens_.back()});
  }
}

TEST_F(TokenShardTest, InfoAloneEqualsTheOpenedShards) {
  write(300, 1000);
  const TokenShard shard(file());
  const TokenShardInfo info = TokenShard::read_info(file());
  EXPECT_EQ(info.token_hash, shard.info().token_hash);
  EXPECT_EQ(info.token_hash.size(), 32u);
  EXPECT_EQ(info.n_tokens, 1000);
}

TEST_F(TokenShardTest, CopyBeyondTheEndIsOutOfRange) {
  write(300, 1000);
  TokenShard opened(file());
  const TokenShard shard = std::move(opened);
  std::vector<int64_t> out(10);
  shard.copy(990, out);
  EXPECT_THROW(shard.copy(991, out), std::out_of_range);
  EXPECT_THROW(shard.copy(-1, out), std::out_of_range);
  EXPECT_THROW(shard.copy(INT64_MAX, out), std::out_of_range);
}

TEST_F(TokenShardTest, ShardCutShortIsRefused) {
  write(300, 1000);
  fs::resize_file(file(), fs::file_size(file()) - 1);
  expect_fault("cut short: 6095 bytes, its header says 6096");
  EXPECT_THROW(TokenShard::read_info(file()), ConfigError);
  fs::resize_file(file(), 100);
  expect_fault("cut short within its header");
  fs::resize_file(file(), 0);
  expect_fault("cut short within its header");
  fs::remove(file());
  expect_fault("is not there");
}

TEST_F(TokenShardTest, ShardCutWhileOpenIsAnErrorAndNoSignal) {
  write(300, 1000);
  const TokenShard shard(file());
  fs::resize_file(file(), 10);
  std::vector<int64_t> out(10);
  EXPECT_THROW(shard.copy(0, out), std::runtime_error);
}

TEST_F(TokenShardTest, AFaultOfTheNetworkThatPassesIsGotOver) {
  write(300, 1000);
  read_fault = ESTALE;
  reads_to_fail = 2;
  const TokenShard shard(file());
  std::vector<int64_t> out(10);
  read_fault = EIO;
  reads_to_fail = 3;
  shard.copy(5, out);
  EXPECT_EQ(out[1], 42);
  reads_to_fail = 100;
  EXPECT_THROW(shard.copy(0, out), std::runtime_error);
  EXPECT_EQ(reads_to_fail, 95);
  reads_to_fail = 0;
}

TEST_F(TokenShardTest, FlippedBitAnywhereIsRefused) {
  write(300, 1000);
  const auto bytes = static_cast<std::streamoff>(fs::file_size(file()));
  for (const std::streamoff at : {16L, 24L, 40L, 60L, 90L, 143L, 144L, 2000L, 4095L}) {
    flip(at);
    EXPECT_NE(fault(), "") << at;
    flip(at);
  }
  for (const std::streamoff at : {std::streamoff{4096}, bytes / 2 + 2048, bytes - 1}) {
    flip(at);
    expect_fault("tokens are damaged");
    flip(at);
  }
  EXPECT_EQ(fault(), "");
}

TEST_F(TokenShardTest, ForeignAndNewerFilesAreNamedAsSuch) {
  write(300, 1000);
  flip(0);
  expect_fault("is not a token shard");
  flip(0);
  {
    std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(8);
    stream.put('\2');
  }
  expect_fault("version 2, this program reads up to 1; use the program that built it");
}

// With a hash that fits, as a hostile file has it.
TEST_F(TokenShardTest, CountBeyondTheFileIsRefusedBeforeAnythingIsMadeOfIt) {
  TokenShardInfo info;
  info.n_vocab = 300;
  info.n_tokens = (int64_t{1} << 53) - 1;
  info.tokenizer_hash = info.token_hash = std::string(32, 'a');
  const ShardHeader header = to_shard_header(info);
  std::ofstream(file(), std::ios::binary)
          .write(reinterpret_cast<const char*>(header.data()), sizeof header)
      << "abcd";
  expect_fault("is cut short: 4100 bytes, its header says 18014398509486078");
  EXPECT_THROW(TokenShard::read_info(file()), ConfigError);
}

TEST_F(TokenShardTest, TokenBeyondTheVocabularyIsRefused) {
#ifdef NDEBUG
  TokenShardInfo info;
  info.n_vocab = 300;
  info.tokenizer_hash = std::string(32, 'a');
  write_token_shard(file(), std::vector<uint32_t>{1, 2, 300, 4}, info);
  expect_fault("token 2 is not below the vocabulary's 300");
#else
  GTEST_SKIP() << "a debug build asserts when such a shard is written";
#endif
}

}  // namespace
}  // namespace scalelaw
