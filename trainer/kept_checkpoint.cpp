#include "trainer/kept_checkpoint.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "trainer/checkpoint_files.h"
#include "trainer/json_text.h"
#include "trainer/run_digests.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

constexpr const char* kCutFrom = "weights_of";

bool is_weight(const std::string& tensor) {
  return tensor.starts_with(kWeightPrefix);
}

}  // namespace

uint64_t bytes_beside_weights(const std::filesystem::path& checkpoint) {
  const std::string header = read_safetensors_header(checkpoint);
  uint64_t bytes = 0;
  try {
    const auto tensors = parse_json_object(header);
    for (const auto& [name, entry] : tensors.items()) {
      if (name == "__metadata__" || is_weight(name)) continue;
      const auto& offsets = entry.at("data_offsets");
      bytes += offsets.at(1).get<uint64_t>() - offsets.at(0).get<uint64_t>();
    }
  } catch (const std::exception& error) {
    throw DamagedFile(checkpoint.string() + ": not a whole safetensors file: " + error.what());
  }
  return bytes;
}

void keep_weights_alone(const std::filesystem::path& checkpoint,
                        const std::function<void()>& before_rename) {
  const SafetensorsFile whole(checkpoint);
  std::map<std::string, SafetensorView> weights;
  for (const auto& [name, tensor] : whole.tensors()) {
    if (is_weight(name)) weights.emplace(name, tensor);
  }
  if (weights.size() == whole.tensors().size()) return;
  if (weights.empty()) throw DamagedFile(checkpoint.string() + ": holds no weights");
  std::map<std::string, std::string> metadata = whole.metadata();
  metadata[kCutFrom] = digest_of(checkpoint);
  write_safetensors(checkpoint, weights, std::move(metadata), before_rename);
}

std::string cut_from(const std::map<std::string, std::string>& metadata) {
  const auto found = metadata.find(kCutFrom);
  return found == metadata.end() ? "" : found->second;
}

}  // namespace scalelaw
