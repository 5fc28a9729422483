#include "trainer/data/foreign/megatron.h"

#include <algorithm>
#include <array>
#include <limits>

namespace scalelaw {

namespace {

constexpr std::array<char, 9> kMagic = {'M', 'M', 'I', 'D', 'I', 'D', 'X', '\0', '\0'};
constexpr int64_t kHeaderBytes = 34;
constexpr int64_t kBlock = 1 << 16;

IdType id_type(const std::filesystem::path& index, int code) {
  constexpr std::array<std::string_view, 11> kNames = {"", "u8", "i8",  "i16", "i32", "i64",
                                                       "", "",   "u16", "u32", "u64"};
  if (code == 6 || code == 7)
    fail_foreign(index, "holds floats (type " + std::to_string(code) + ")");
  const auto at = static_cast<std::size_t>(code);
  const auto type = at < kNames.size() ? parse_id_type(kNames[at]) : std::nullopt;
  if (!type) fail_foreign(index, "is damaged: " + std::to_string(code) + " is no type of ids");
  return *type;
}

// An array within the index, read a block at a time.
template <typename T>
class ArrayReader {
 public:
  ArrayReader(const ForeignFile& file, int64_t first_byte, int64_t count)
      : file_(file), next_byte_(first_byte), left_(count) {}

  T next() {
    if (at_ == block_.size()) {
      block_.resize(static_cast<std::size_t>(std::min(left_, kBlock)));
      file_.read(next_byte_, std::as_writable_bytes(std::span(block_)));
      next_byte_ += static_cast<int64_t>(block_.size() * sizeof(T));
      left_ -= static_cast<int64_t>(block_.size());
      at_ = 0;
    }
    return block_[at_++];
  }

 private:
  const ForeignFile& file_;
  int64_t next_byte_, left_;
  std::vector<T> block_;
  std::size_t at_ = 0;
};

struct Index {
  IdType type;
  int64_t sequences, documents;
};

// Of a file that is as long as its header says.
Index read_header(const ForeignFile& file) {
  const std::filesystem::path& path = file.path();
  if (file.bytes() < kHeaderBytes) {
    fail_foreign(path, "is cut short within its header (" + std::to_string(file.bytes()) +
                           " bytes of " + std::to_string(kHeaderBytes) + ")");
  }
  if (file.read_as<std::array<char, 9>>(0) != kMagic) {
    fail_foreign(path, "is no Megatron index (wrong first 9 bytes)");
  }
  if (const auto version = file.read_as<uint64_t>(9); version != 1) {
    fail_foreign(path, "is a Megatron index of version " + std::to_string(version) + "; 1 is read");
  }
  const IdType type = id_type(path, file.read_as<uint8_t>(17));
  const auto sequences = file.read_as<uint64_t>(18), documents = file.read_as<uint64_t>(26);
  const auto arrays = static_cast<uint64_t>(file.bytes() - kHeaderBytes);
  // Each bounded alone, so that their sum cannot wrap around.
  const bool fits = sequences <= arrays / 12 && documents <= arrays / 8;
  const uint64_t needed = fits ? sequences * 12 + documents * 8 : 0;
  if (fits && sequences > 0 && arrays == needed + sequences) {
    fail_foreign(path, "is of a multimodal set (a mode a sequence): text alone is read");
  }
  if (!fits || arrays != needed) {
    fail_foreign(path, "is cut short or damaged: its header promises " + std::to_string(sequences) +
                           " sequences and " + std::to_string(documents) +
                           " document indices, which are not its " + std::to_string(file.bytes()) +
                           " bytes");
  }
  return {type, static_cast<int64_t>(sequences), static_cast<int64_t>(documents)};
}

// How many ids stand before each document's end.
std::vector<int64_t> read_document_ends(const ForeignFile& file, const Index& index) {
  ArrayReader<int32_t> lengths(file, kHeaderBytes, index.sequences);
  ArrayReader<int64_t> places(file, kHeaderBytes + 4 * index.sequences, index.sequences);
  ArrayReader<int64_t> documents(file, kHeaderBytes + 12 * index.sequences, index.documents);
  if (index.documents < 2 || documents.next() != 0) {
    fail_foreign(file.path(), "is damaged: its document indices do not begin with 0");
  }
  std::vector<int64_t> ends;
  int64_t sequence = 0, tokens = 0;
  for (int64_t document = 1; document < index.documents; ++document) {
    const int64_t end = documents.next();
    if (end < sequence || end > index.sequences) {
      fail_foreign(file.path(), "is damaged: document " + std::to_string(document - 1) +
                                    " ends before sequence " + std::to_string(end) + " of " +
                                    std::to_string(index.sequences) + ", which is not after " +
                                    std::to_string(sequence));
    }
    for (; sequence < end; ++sequence) {
      const int32_t length = lengths.next();
      if (length < 0) {
        fail_foreign(file.path(), "is damaged: sequence " + std::to_string(sequence) + " has " +
                                      std::to_string(length) + " ids");
      }
      if (places.next() != tokens * bytes_of(index.type)) {
        fail_foreign(file.path(), "sequence " + std::to_string(sequence) +
                                      " does not begin where the one before it ends: such sets "
                                      "are not read; merge it anew with Megatron's tools");
      }
      if (tokens > std::numeric_limits<int64_t>::max() / 8 - length) {
        fail_foreign(file.path(), "is damaged: more ids than any file holds");
      }
      tokens += length;
    }
    if (ends.empty() || ends.back() != tokens) ends.push_back(tokens);
  }
  if (sequence != index.sequences) {
    fail_foreign(file.path(), "is damaged: its documents end before sequence " +
                                  std::to_string(sequence) + " of " +
                                  std::to_string(index.sequences));
  }
  // A first document without ids ends where it begins.
  if (ends.front() == 0) ends.erase(ends.begin());
  return ends;
}

}  // namespace

TokenLayout read_megatron_layout(const std::filesystem::path& path) {
  const ForeignFile index_file(path);
  const Index index = read_header(index_file);
  std::vector<int64_t> ends = read_document_ends(index_file, index);
  std::filesystem::path ids = path;
  const ForeignFile bin(ids.replace_extension(".bin"));
  TokenLayout layout =
      checked_layout(bin, "megatron", index.type, 0, ends.empty() ? 0 : ends.back());
  layout.document_ends = std::move(ends);
  return layout;
}

}  // namespace scalelaw
