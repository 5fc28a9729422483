#include "trainer/data/foreign/npy.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <string_view>

namespace scalelaw {

namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr int64_t kMostHeaderBytes = 65536;  // NumPy itself reads 10000 unless told otherwise

struct Header {
  std::string descr;
  bool has_descr = false, has_order = false, has_shape = false;
  std::vector<int64_t> shape;
};

// The few Python literals that NumPy writes; nothing is evaluated.
class HeaderParser {
 public:
  HeaderParser(const std::filesystem::path& file, std::string_view text)
      : file_(file), text_(text) {}

  Header parse() {
    Header header;
    expect('{');
    while (!take('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr") {
        header.has_descr = true;
        header.descr = descr();
      } else if (key == "fortran_order") {
        header.has_order = true;
        truth();
      } else if (key == "shape") {
        header.has_shape = true;
        header.shape = shape();
      } else {
        damaged();
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != text_.size() || !header.has_descr || !header.has_order || !header.has_shape) {
      damaged();
    }
    return header;
  }

 private:
  [[noreturn]] void damaged() const {
    fail_foreign(file_,
                 "the header is damaged at its byte " + std::to_string(at_) +
                     ": no dictionary of 'descr', 'fortran_order' and 'shape' as NumPy writes it");
  }
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) damaged();
  }
  bool take_word(std::string_view word) {
    skip_space();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  std::string quoted() {
    const char quote = take('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) damaged();
    std::string inside(text_.substr(at_, end - at_));
    at_ = end + 1;
    return inside;
  }
  std::string descr() {
    skip_space();
    if (at_ < text_.size() && (text_[at_] == '[' || text_[at_] == '(')) {
      fail_foreign(file_, "holds records with fields: save one plain array of integers");
    }
    return quoted();
  }
  // The order of one dimension is the same either way.
  void truth() {
    if (!take_word("True") && !take_word("False")) damaged();
  }
  std::vector<int64_t> shape() {
    std::vector<int64_t> lengths;
    expect('(');
    while (!take(')')) {
      skip_space();
      int64_t length = 0;
      const char* const begin = text_.data() + at_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), length);
      if (error != std::errc() || length < 0) damaged();
      at_ += static_cast<std::size_t>(end - begin);
      lengths.push_back(length);
      static_cast<void>(take('L'));  // as Python 2 wrote it
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return lengths;
  }

  const std::filesystem::path& file_;
  std::string_view text_;
  std::size_t at_ = 0;
};

IdType id_type(const std::filesystem::path& file, const std::string& descr) {
  const auto refuse = [&](const std::string& what) {
    fail_foreign(file, "holds " + what + " (descr '" + descr +
                           "'): token ids are little-endian integers, as of .astype('<u4')");
  };
  if (descr.find('O') != std::string::npos) refuse("Python objects");
  if (descr.size() == 3 && (descr[0] == '<' || descr[0] == '|')) {
    const std::optional<IdType> type =
        descr[2] >= '1' && descr[2] <= '8'
            ? parse_id_type(descr[1] + std::to_string(8 * (descr[2] - '0')))
            : std::nullopt;
    if (type && (descr[0] == '<' || bytes_of(*type) == 1)) return *type;
  }
  refuse(descr.starts_with('>') ? "big-endian numbers" : "no integers");
  return {};
}

}  // namespace

TokenLayout read_npy_layout(const std::filesystem::path& path) {
  const ForeignFile file(path);
  const auto magic = file.read_as<std::array<char, 6>>(0);
  if (std::string_view(magic.data(), magic.size()) != kMagic) {
    fail_foreign(path, "is no .npy file (wrong first 6 bytes)");
  }
  const auto [major, minor] = file.read_as<std::array<uint8_t, 2>>(6);
  if (major < 1 || major > 3 || minor != 0) {
    fail_foreign(path, "is of .npy version " + std::to_string(major) + "." + std::to_string(minor) +
                           "; 1.0, 2.0 and 3.0 are read");
  }
  const int64_t length = major == 1 ? file.read_as<uint16_t>(8) : file.read_as<uint32_t>(8);
  const int64_t begin = major == 1 ? 10 : 12;
  if (length > kMostHeaderBytes) {
    fail_foreign(path, "the header states " + std::to_string(length) +
                           " bytes for itself; that of a plain array has about 100");
  }
  std::string text(static_cast<std::size_t>(length), '\0');
  file.read(begin, std::as_writable_bytes(std::span(text)));
  const Header header = HeaderParser(path, text).parse();
  const IdType type = id_type(path, header.descr);
  if (header.shape.size() != 1) {
    fail_foreign(path, "holds an array of " + std::to_string(header.shape.size()) +
                           " dimensions: token ids have one, as of .reshape(-1)");
  }
  return checked_layout(file, "npy", type, begin + length, header.shape.front());
}

}  // namespace scalelaw
