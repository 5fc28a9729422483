#include "trainer/data/foreign/llm_c.h"

#include <array>

namespace scalelaw {

namespace {

constexpr int64_t kHeaderBytes = 1024;  // 256 int32
constexpr int32_t kGpt2Magic = 20240520, kLlama3Magic = 20240801;
constexpr int32_t kEvaluationMagic = 20240522, kModelMagic = 20240326, kStateMagic = 20240527;

struct Fields {
  int32_t magic, version, n_tokens;
};

}  // namespace

bool has_llm_c_magic(const ForeignFile& file) {
  if (file.bytes() < kHeaderBytes) return false;
  const auto magic = file.read_as<int32_t>(0);
  return magic == kGpt2Magic || magic == kLlama3Magic || magic == kEvaluationMagic ||
         magic == kModelMagic || magic == kStateMagic;
}

TokenLayout read_llm_c_layout(const std::filesystem::path& path) {
  const ForeignFile file(path);
  if (file.bytes() < kHeaderBytes) {
    fail_foreign(path, "is cut short within llm.c's header: " + std::to_string(file.bytes()) +
                           " bytes of " + std::to_string(kHeaderBytes));
  }
  const auto fields = file.read_as<Fields>(0);
  if (fields.magic != kGpt2Magic && fields.magic != kLlama3Magic) {
    fail_foreign(path, fields.magic == kEvaluationMagic
                           ? "holds llm.c's multiple-choice questions, no running text"
                       : fields.magic == kModelMagic || fields.magic == kStateMagic
                           ? "holds a model of llm.c, no token ids"
                           : "is no token file of llm.c (magic " + std::to_string(fields.magic) +
                                 ", theirs are 20240520 and 20240801)");
  }
  const bool gpt2 = fields.magic == kGpt2Magic;
  if (const int32_t known = gpt2 ? 1 : 7; fields.version != known) {
    fail_foreign(path, "is of version " + std::to_string(fields.version) + " of llm.c's magic " +
                           std::to_string(fields.magic) + "; version " + std::to_string(known) +
                           " is read");
  }
  return checked_layout(file, "llm.c", gpt2 ? IdType::kU16 : IdType::kU32, kHeaderBytes,
                        fields.n_tokens);
}

}  // namespace scalelaw
