#include "trainer/data/text_meter.h"

#include <algorithm>

namespace scalelaw {

namespace {

constexpr std::size_t kPartTokens = 65536;

}  // namespace

void TextMeter::add(std::span<const uint32_t> tokens) {
  lost_ = lost_ || std::find(tokens.begin(), tokens.end(), tokenizer_.unknown()) != tokens.end();
  for (const uint32_t token : tokens) {
    pending_.push_back(token);
    if (token == tokenizer_.end_of_document() || pending_.size() == kPartTokens) decode_pending();
  }
}

std::optional<int64_t> TextMeter::finish() {
  decode_pending();
  return lost_ ? std::nullopt : std::optional(bytes_);
}

void TextMeter::decode_pending() {
  bytes_ += static_cast<int64_t>(tokenizer_.decode(pending_).size());
  pending_.clear();
}

}  // namespace scalelaw
