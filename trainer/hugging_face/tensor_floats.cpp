#include "trainer/hugging_face/tensor_floats.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace scalelaw {
namespace {

template <typename Bits, typename Convert>
std::vector<float> converted(std::span<const std::byte> bytes, const Convert& convert) {
  std::vector<float> values(bytes.size() / sizeof(Bits));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Bits bits;  // may be unaligned
    std::memcpy(&bits, bytes.data() + i * sizeof bits, sizeof bits);
    values[i] = convert(bits);
  }
  return values;
}

}  // namespace

float from_bfloat16(uint16_t bits) {
  return std::bit_cast<float>(uint32_t{bits} << 16);
}

float from_float16(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const auto fraction = static_cast<float>(bits & 1023);
  float value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? std::numeric_limits<float>::infinity()
                          : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else {
    value = std::ldexp(fraction + 1024, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

bool has_floats(const SafetensorView& tensor) {
  return tensor.dtype == "F32" || tensor.dtype == "BF16" || tensor.dtype == "F16";
}

std::vector<float> floats(const SafetensorView& tensor) {
  if (tensor.dtype == "F32") {
    return converted<uint32_t>(tensor.bytes, [](uint32_t b) { return std::bit_cast<float>(b); });
  }
  if (tensor.dtype == "BF16") return converted<uint16_t>(tensor.bytes, from_bfloat16);
  if (tensor.dtype == "F16") return converted<uint16_t>(tensor.bytes, from_float16);
  throw std::invalid_argument("floats: a tensor of " + tensor.dtype);
}

std::vector<float> transposed(const std::vector<float>& values, int64_t rows, int64_t columns) {
  std::vector<float> result(values.size());
  const auto height = static_cast<std::size_t>(rows), width = static_cast<std::size_t>(columns);
  for (std::size_t row = 0; row < height; ++row) {
    for (std::size_t column = 0; column < width; ++column) {
      result[column * height + row] = values[row * width + column];
    }
  }
  return result;
}

}  // namespace scalelaw
