// Files of token ids as other programs write them, byte by byte after their own descriptions and
// not through the code that reads them.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace scalelaw {

inline std::filesystem::path put_bytes(const std::filesystem::path& file,
                                       const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
  return file;
}

// The values one after the other, each as a T.
template <typename T, typename Value>
std::string packed(const std::vector<Value>& values) {
  std::string bytes;
  for (const Value value : values) {
    const T of_type = static_cast<T>(value);
    bytes.append(reinterpret_cast<const char*>(&of_type), sizeof(of_type));
  }
  return bytes;
}
template <typename T>
std::string packed_one(T value) {
  return packed<T>(std::vector<T>{value});
}

// As NumPy's format.py: magic, version, length, dictionary, padded with spaces to 64 bytes.
inline std::string npy_bytes(const std::string& descr, const std::string& shape,
                             const std::string& payload, char major = 1,
                             const std::string& order = "False") {
  std::string header =
      "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  const std::size_t before = major == 1 ? 10 : 12;
  header.append(64 - (before + header.size() + 1) % 64, ' ');
  header += '\n';
  const auto length = static_cast<uint32_t>(header.size());
  return std::string("\x93NUMPY") + major + '\0' +
         (major == 1 ? packed_one(static_cast<uint16_t>(length)) : packed_one(length)) + header +
         payload;
}

// As llm.c's data_common.py.
inline std::string llm_c_bytes(int32_t magic, int32_t version, int32_t count,
                               const std::string& payload) {
  std::vector<int32_t> header(256);
  header[0] = magic;
  header[1] = version;
  header[2] = count;
  return packed<int32_t>(header) + payload;
}

// As Megatron's indexed_dataset.py; `documents` begins with 0.
struct MegatronIndex {
  uint8_t type = 8;
  int64_t id_bytes = 2;
  std::vector<int64_t> lengths;
  std::vector<int64_t> documents;
  std::string modes = {};

  std::string bytes() const {
    std::vector<int64_t> places;
    int64_t at = 0;
    for (const int64_t length : lengths) {
      places.push_back(at);
      at += length * id_bytes;
    }
    return std::string("MMIDIDX\0\0", 9) + packed_one(uint64_t{1}) + packed_one(type) +
           packed_one(static_cast<uint64_t>(lengths.size())) +
           packed_one(static_cast<uint64_t>(documents.size())) + packed<int32_t>(lengths) +
           packed<int64_t>(places) + packed<int64_t>(documents) + modes;
  }
};

}  // namespace scalelaw
