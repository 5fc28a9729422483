#include "sweeps/plan/setting_effects.h"

#include <algorithm>
#include <cstddef>
#include <set>

#include "models/model_shape.h"

namespace scalelaw {
namespace {

constexpr const char* kCount = "horizon.count";

bool reads_the_same(const FlatConfig& one, const FlatConfig& other) {
  return std::ranges::equal(one, other, [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.text == b.second.text;
  });
}

// A cell that could not be without the setting is changed by it.
bool changes(const SweepPoint& with, const SweepPoint& without, const ResolvePoint& resolve) {
  if (reads_the_same(with.config, without.config)) return false;
  try {
    return canonical_values(resolve(with)) != canonical_values(resolve(without));
  } catch (const ConfigError&) {
    return true;
  }
}

bool changes_a_cell(const SweepSpec& spec, const std::vector<SweepPoint>& points,
                    const std::string& key, const ResolvePoint& resolve) {
  SweepSpec bare = spec;
  bare.settings.erase(key);
  const std::vector<SweepPoint> without = expand(bare);
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (changes(points[i], without[i], resolve)) return true;
  }
  return false;
}

bool is_swept(const SweepSpec& spec, const std::string& key) {
  const auto has = [&](const std::vector<SweepAxis>& axes) {
    return std::ranges::find(axes, key, &SweepAxis::key) != axes.end();
  };
  return std::ranges::any_of(spec.blocks, [&](const SweepBlock& block) {
    return has(block.grid) || has(block.zip) ||
           std::ranges::any_of(block.list, [&](const FlatConfig& e) { return e.contains(key); });
  });
}

// "" where all cells count alike.
std::string counts_of(const std::vector<SweepPoint>& points, const std::string& usual) {
  std::set<std::string> counts;
  for (const SweepPoint& point : points) {
    const auto written = point.config.find(kCount);
    counts.insert(written == point.config.end() ? usual : written->second.text);
  }
  if (counts.size() < 2) return "";
  std::string text;
  for (const std::string& count : counts) text += (text.empty() ? "" : ", ") + count;
  return text;
}

}  // namespace

std::vector<std::string> setting_warnings(const SweepSpec& spec, const ResolvePoint& resolve) {
  std::vector<std::string> texts;
  if (spec.settings.empty()) return texts;
  const std::vector<SweepPoint> points = expand(spec);
  for (const auto& [key, value] : spec.settings) {
    if (!changes_a_cell(spec, points, key, resolve)) {
      texts.push_back(at_its_line(value, key, "changes no cell: each is the same without it"));
    }
    const bool is_of_parameters = key == "horizon.tokens_per_param";
    if ((!is_of_parameters && key != "horizon.flops") || is_swept(spec, kCount)) continue;
    const std::string counts = counts_of(
        points,
        std::string(is_of_parameters ? name(NCount::kNonEmbedding) : name(CCount::kExactCausal)));
    if (counts.empty()) continue;
    texts.push_back(at_its_line(value, key,
                                "is not the same for all cells, which count by " + counts +
                                    "; --set horizon.count=NAME makes it so"));
  }
  return texts;
}

}  // namespace scalelaw
