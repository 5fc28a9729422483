#include "trainer/data/text_encoder.h"

namespace scalelaw {

namespace {

// About 30 MB of parts a thread; then it begins again, for texts that have become others.
constexpr std::size_t kKnownParts = 200'000;
constexpr std::size_t kKnownBytes = 48;  // longer parts seldom come again

}  // namespace

void TextEncoder::encode(std::string_view text, std::vector<uint32_t>& tokens) {
  const PieceCutter* cutter = tokenizer_->cutter();
  const bool cuts = cutter != nullptr && cutter->cuts(text);
  while (!text.empty()) {
    const std::string_view part = text.substr(0, cuts ? cutter->first_part(text) : text.size());
    text.remove_prefix(part.size());
    if (const auto known = known_.find(part); known != known_.end()) {
      tokens.insert(tokens.end(), known->second.begin(), known->second.end());
      continue;
    }
    const std::vector<uint32_t> encoded = tokenizer_->encode(part);
    tokens.insert(tokens.end(), encoded.begin(), encoded.end());
    if (!cuts || part.size() > kKnownBytes) continue;
    if (known_.size() == kKnownParts) known_.clear();
    known_.emplace(part, encoded);
  }
}

}  // namespace scalelaw
