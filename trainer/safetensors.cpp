#include "trainer/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "trainer/atomic_file.h"
#include "trainer/hash.h"
#include "trainer/json_text.h"

namespace scalelaw {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::size_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of huggingface/safetensors
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kHash = "xxh3_128";
constexpr const char* kMetadataHash = "xxh3_128_metadata";
constexpr const char* kNoSafetensors = ": not a safetensors file: ";

struct Dtype {
  std::string_view name;
  uint64_t bytes;
};
constexpr std::array<Dtype, 15> kDtypes = {{{"BOOL", 1},
                                            {"U8", 1},
                                            {"I8", 1},
                                            {"F8_E5M2", 1},
                                            {"F8_E4M3", 1},
                                            {"I16", 2},
                                            {"U16", 2},
                                            {"F16", 2},
                                            {"BF16", 2},
                                            {"I32", 4},
                                            {"U32", 4},
                                            {"F32", 4},
                                            {"F64", 8},
                                            {"I64", 8},
                                            {"U64", 8}}};

// nullopt: unknown dtype, negative dimension, or a product beyond 64 bits.
std::optional<uint64_t> bytes_of(const std::string& dtype, const std::vector<int64_t>& shape) {
  const auto found =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Dtype& d) { return d.name == dtype; });
  if (found == kDtypes.end()) return std::nullopt;
  uint64_t bytes = found->bytes;
  for (const int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) {
      return std::nullopt;
    }
  }
  return bytes;
}

std::string header_of(const std::map<std::string, SafetensorView>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header;
  header[kMetadata] = metadata;
  uint64_t begin = 0;
  for (const auto& [name, tensor] : tensors) {
    if (name == kMetadata || bytes_of(tensor.dtype, tensor.shape) != tensor.bytes.size()) {
      throw std::invalid_argument("tensor " + name + ": dtype and shape do not give its bytes");
    }
    const uint64_t end = begin + tensor.bytes.size();
    header[name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data then begin at a multiple of 8
  return text;
}

// Before anything of that length is allocated. The file holds kLengthBytes.
void check_header_length(uint64_t length, uint64_t file_bytes) {
  if (length > kMaxHeaderBytes || length > file_bytes - kLengthBytes) {
    throw std::runtime_error("header length " + std::to_string(length) + " is beyond the file");
  }
}

// One checked entry of the header; `data` is the part after it.
SafetensorView read_entry(const nlohmann::json& entry, std::string_view data) {
  SafetensorView tensor;
  tensor.dtype = entry.at("dtype").get<std::string>();
  for (const auto& size : entry.at("shape")) {
    if (!size.is_number_unsigned() || size.get<uint64_t>() > INT64_MAX) {
      throw std::runtime_error("a dimension is not a whole number");
    }
    tensor.shape.push_back(size.get<int64_t>());
  }
  const auto& offsets = entry.at("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    throw std::runtime_error("data_offsets are not two whole numbers");
  }
  const auto begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
  if (begin > end || end > data.size()) {
    throw std::runtime_error("data_offsets lie outside the file");
  }
  const auto bytes = bytes_of(tensor.dtype, tensor.shape);
  if (!bytes) throw std::runtime_error("unknown dtype " + tensor.dtype + " or impossible shape");
  if (*bytes != end - begin) throw std::runtime_error("dtype and shape do not fit data_offsets");
  tensor.bytes = std::as_bytes(std::span(data.substr(begin, end - begin)));
  return tensor;
}

// Every byte of the data belongs to exactly one tensor.
void check_cover(const std::map<std::string, SafetensorView>& tensors, std::string_view data) {
  std::vector<std::span<const std::byte>> parts;
  for (const auto& [name, tensor] : tensors) parts.push_back(tensor.bytes);
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
    return std::pair(a.data(), a.size()) < std::pair(b.data(), b.size());
  });
  const std::byte* expected = std::as_bytes(std::span(data)).data();
  const std::byte* end = expected + data.size();
  for (const auto& part : parts) {
    if (part.data() != expected) throw std::runtime_error("tensors overlap or leave a gap");
    expected += part.size();
  }
  if (expected != end) throw std::runtime_error("bytes after the last tensor");
}

// Of every entry but the two hashes, lengths included so that no two maps give one text.
std::string hash_of(const std::map<std::string, std::string>& metadata) {
  std::string text;
  for (const auto& [key, value] : metadata) {
    if (key == kHash || key == kMetadataHash) continue;
    for (const std::string& part : {key, value}) text += std::to_string(part.size()) + ":" + part;
  }
  return hash_hex(text);
}

void check_metadata_hash(const std::map<std::string, std::string>& metadata) {
  const auto hash = metadata.find(kMetadataHash);
  if (hash != metadata.end() && hash->second != hash_of(metadata)) {
    throw std::runtime_error("its metadata do not have the hash its header records");
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, SafetensorView>& tensors,
                       std::map<std::string, std::string> metadata,
                       const std::function<void()>& before_rename) {
  Hasher hasher;
  for (const auto& [name, tensor] : tensors) hasher.add(tensor.bytes);
  metadata[kMetadataHash] = hash_of(metadata);
  metadata[kHash] = hasher.hex();
  const std::string header = header_of(tensors, metadata);
  const auto write = [&](std::ostream& stream) {
    const uint64_t length = header.size();
    stream.write(reinterpret_cast<const char*>(&length), sizeof length);
    stream.write(header.data(), static_cast<std::streamsize>(header.size()));
    for (const auto& [name, tensor] : tensors) {
      stream.write(reinterpret_cast<const char*>(tensor.bytes.data()),
                   static_cast<std::streamsize>(tensor.bytes.size()));
    }
  };
  write_atomically(path, write, before_rename);
}

std::string read_safetensors_header(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  if (!stream) throw std::runtime_error(path.string() + ": cannot be read");
  try {
    const auto file_bytes = static_cast<uint64_t>(std::max<std::streamoff>(stream.tellg(), 0));
    uint64_t length = 0;
    stream.seekg(0);
    stream.read(reinterpret_cast<char*>(&length), sizeof length);
    if (!stream) throw std::runtime_error("shorter than its header length");
    check_header_length(length, file_bytes);
    std::string header(length, '\0');
    stream.read(header.data(), static_cast<std::streamsize>(length));
    if (!stream) throw std::runtime_error("the header is beyond the file");
    return header;
  } catch (const std::exception& error) {
    throw DamagedFile(path.string() + kNoSafetensors + error.what());
  }
}

std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path) {
  const std::string header = read_safetensors_header(path);
  try {
    const auto json = parse_json_object(header);
    auto metadata = json.value(kMetadata, std::map<std::string, std::string>{});
    check_metadata_hash(metadata);
    return metadata;
  } catch (const std::exception& error) {
    throw DamagedFile(path.string() + kNoSafetensors + error.what());
  }
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : path_(path), content_(read_whole_file(path)) {
  try {
    uint64_t length = 0;
    if (content_.size() < kLengthBytes) throw std::runtime_error("shorter than its header length");
    std::memcpy(&length, content_.data(), kLengthBytes);
    check_header_length(length, content_.size());
    const std::string_view header(content_.data() + kLengthBytes, length);
    const std::string_view data = std::string_view(content_).substr(kLengthBytes + length);
    const auto json = parse_json_object(header);
    for (const auto& [name, entry] : json.items()) {
      if (name == kMetadata) {
        metadata_ = entry.get<std::map<std::string, std::string>>();
        continue;
      }
      try {
        tensors_[name] = read_entry(entry, data);
      } catch (const std::exception& error) {
        throw std::runtime_error("tensor " + name + ": " + error.what());
      }
    }
    check_cover(tensors_, data);
    const auto hash = metadata_.find(kHash);
    if (hash != metadata_.end() && hash->second != hash_hex(data)) {
      throw std::runtime_error("its data do not have the hash its header records");
    }
    check_metadata_hash(metadata_);
  } catch (const std::exception& error) {
    throw DamagedFile(path.string() + ": not a whole safetensors file: " + error.what());
  }
}

const SafetensorView& SafetensorsFile::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    throw DamagedFile(path_.string() + ": holds no tensor " + name);
  }
  return found->second;
}

}  // namespace scalelaw
