#include "trainer/run_digests.h"

#include <cassert>
#include <cstddef>

#include "trainer/atomic_file.h"
#include "trainer/checkpoint_files.h"
#include "trainer/hash.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashDigits = 32;
// Within a string its quotation marks would be escaped.
constexpr std::string_view kRecordHash = "\"record_hash\": \"";

}  // namespace

std::string digest_of(const fs::path& file) {
  const bool tensors = file.extension() == ".safetensors";
  return hash_hex(tensors ? read_safetensors_header(file) : read_whole_file(file));
}

std::map<std::string, std::string> digests_of_results(const RunFolder& folder, int64_t step,
                                                      std::string_view metrics) {
  std::map<std::string, std::string> digests;
  digests[folder.merged_metrics().filename().string()] = hash_hex(metrics);
  for (const fs::path& file : {folder.window_losses(), checkpoint_file(folder, step)}) {
    if (fs::exists(file)) digests[file.lexically_relative(folder.path).string()] = digest_of(file);
  }
  return digests;
}

std::string with_record_hash(std::string text) {
  const std::size_t end = text.rfind("\n}");
  assert(end != std::string::npos);
  text.insert(end, ",\n  " + std::string(kRecordHash) + std::string(kHashDigits, '0') + "\"");
  return text.replace(text.rfind(kRecordHash) + kRecordHash.size(), kHashDigits, hash_hex(text));
}

bool has_record_hash(std::string_view text) {
  return text.rfind(kRecordHash) != std::string_view::npos;
}

bool has_own_hash(std::string_view text) {
  const std::size_t key = text.rfind(kRecordHash);
  if (key == std::string_view::npos) return true;
  std::string zeroed(text);
  const std::size_t digits = key + kRecordHash.size();
  const std::string recorded = zeroed.substr(digits, kHashDigits);
  if (recorded.size() < kHashDigits) return false;
  zeroed.replace(digits, kHashDigits, kHashDigits, '0');
  return hash_hex(zeroed) == recorded;
}

}  // namespace scalelaw
