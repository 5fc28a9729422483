// The texts of the enumerations that configurations and run folders hold, once for both. The
// text of value i is kAll[i].
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "trainer/run_config.h"
#include "trainer/run_record.h"

namespace scalelaw {

template <typename Enum>
struct EnumTexts;

template <>
struct EnumTexts<PositionEncoding> {
  static constexpr std::array<std::string_view, 2> kAll = {"rotary", "learned"};
};
template <>
struct EnumTexts<EmbeddingTying> {
  static constexpr std::array<std::string_view, 2> kAll = {"tied", "untied"};
};
template <>
struct EnumTexts<InitScheme> {
  static constexpr std::array<std::string_view, 2> kAll = {"fan_in", "gpt2"};
};
template <>
struct EnumTexts<OptimizerKind> {
  static constexpr std::array<std::string_view, 1> kAll = {"adamw"};
};
template <>
struct EnumTexts<ScheduleKind> {
  static constexpr std::array<std::string_view, 1> kAll = {"cosine"};
};
template <>
struct EnumTexts<Precision> {
  static constexpr std::array<std::string_view, 2> kAll = {"fp32", "bf16"};
};
template <>
struct EnumTexts<StepKind> {
  static constexpr std::array<std::string_view, 4> kAll = {"auto", "eager", "device", "graph"};
};
template <>
struct EnumTexts<Recomputation> {
  static constexpr std::array<std::string_view, 3> kAll = {"auto", "none", "blocks"};
};
template <>
struct EnumTexts<KeptCheckpoint> {
  static constexpr std::array<std::string_view, 3> kAll = {"whole", "weights", "none"};
};
template <>
struct EnumTexts<RunState> {
  static constexpr std::array<std::string_view, 2> kAll = {"complete", "diverged"};
};

template <typename Enum>
constexpr std::string_view enum_text(Enum value) {
  return EnumTexts<Enum>::kAll[static_cast<std::size_t>(value)];
}

template <typename Enum>
constexpr std::optional<Enum> enum_from_text(std::string_view text) {
  const auto& all = EnumTexts<Enum>::kAll;
  const auto found = std::find(all.begin(), all.end(), text);
  if (found == all.end()) return std::nullopt;
  return static_cast<Enum>(found - all.begin());
}

}  // namespace scalelaw
