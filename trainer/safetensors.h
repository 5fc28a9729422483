// The safetensors format (huggingface/safetensors): 8 bytes header length, JSON header, data.
// Names, dtypes and bytes only; the trainer gives them to tensors, analysis reads floats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace scalelaw {

struct SafetensorView {
  std::string dtype;  // "F32", "BF16", "I64", "U8"
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;  // contiguous, row-major; read ones may be unaligned: copy them
};

// The file could be read and is not what it should be: cut short, altered, of another kind. A disk
// that does not answer is a plain std::runtime_error.
class DamagedFile : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Writes atomically. std::invalid_argument when dtype and shape do not give a tensor's bytes. The
// metadata gains "xxh3_128" and "xxh3_128_metadata", the hashes of the data part and of the other
// metadata, which the reader checks. Tensors are laid out in name order. `before_rename`: as
// write_atomically's.
void write_safetensors(
    const std::filesystem::path& path, const std::map<std::string, SafetensorView>& tensors,
    std::map<std::string, std::string> metadata,
    const std::function<void()>& before_rename = [] {});

// The metadata alone, from the file's head; the tensors are not looked at. DamagedFile as below.
std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path);

// The same part's bytes, not looked into.
std::string read_safetensors_header(const std::filesystem::path& path);

// A whole file in memory, checked: header length, JSON, dtypes, shapes against offsets, no gap or
// overlap, file length, hashes where recorded. DamagedFile names the file and the fault.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  SafetensorsFile(SafetensorsFile&&) = default;  // the views stay valid
  SafetensorsFile& operator=(SafetensorsFile&&) = default;
  const std::map<std::string, SafetensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const SafetensorView& at(const std::string& name) const;  // DamagedFile when absent

 private:
  std::filesystem::path path_;
  std::string content_;
  std::map<std::string, SafetensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace scalelaw
