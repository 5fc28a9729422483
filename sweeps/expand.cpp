#include <algorithm>
#include <set>

#include "sweeps/cell_expressions.h"
#include "sweeps/sweep_spec.h"
#include "trainer/flat_keys.h"

namespace scalelaw {
namespace {

// Later wins: an empty group ("data.test: {}") empties what was in it, and a key in a group that
// was emptied fills it again.
void set(const std::string& key, const SourcedText& value, FlatConfig& config) {
  if (value.text == kEmptyGroup) {
    const std::string members = key + ".";
    auto member = config.lower_bound(members);
    while (member != config.end() && member->first.starts_with(members)) {
      member = config.erase(member);
    }
  }
  for (auto dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) {
    const auto group = config.find(key.substr(0, dot));
    if (group != config.end() && group->second.text == kEmptyGroup) config.erase(group);
  }
  config.insert_or_assign(key, value);
}

void override_with(const FlatConfig& overrides, FlatConfig& config) {
  for (const auto& [key, value] : overrides) set(key, value, config);
}

// The keys that the arm, or the block with all its combinations, sets.
std::set<std::string> keys_of(const FlatConfig& overrides) {
  std::set<std::string> keys;
  for (const auto& [key, value] : overrides) keys.insert(key);
  return keys;
}
std::set<std::string> keys_of(const SweepBlock& block) {
  std::set<std::string> keys = keys_of(block.overrides);
  for (const SweepAxis& axis : block.grid) keys.insert(axis.key);
  for (const SweepAxis& axis : block.zip) keys.insert(axis.key);
  for (const FlatConfig& entry : block.list) keys.merge(keys_of(entry));
  return keys;
}

// A horizon that is asked for anew, in steps say, takes the place of one in tokens, and of what
// that one counted.
void make_room_for_horizon(const std::set<std::string>& keys, FlatConfig& config) {
  const auto sets = [&](const std::string& form) { return keys.contains(form); };
  if (std::ranges::none_of(horizon_forms(), sets)) return;
  for (const std::string& form : horizon_forms()) {
    if (!keys.contains(form) && config.erase(form) > 0) config.erase("horizon.count");
  }
}

// A size that is asked for takes the place of a width that others had set.
void make_room_for_size(const std::set<std::string>& keys, FlatConfig& config) {
  if (keys.contains("ladder.n") && !keys.contains("model.d_model")) config.erase("model.d_model");
}

void make_room(const std::set<std::string>& keys, FlatConfig& config) {
  make_room_for_horizon(keys, config);
  make_room_for_size(keys, config);
}

int64_t zip_length(const SweepBlock& block) {
  return block.zip.empty() ? 1 : static_cast<int64_t>(block.zip.front().values.size());
}
int64_t list_length(const SweepBlock& block) {
  return block.list.empty() ? 1 : static_cast<int64_t>(block.list.size());
}

// Combinations of grid x zip x list; stops counting beyond kMaxCells.
int64_t combinations(const SweepBlock& block) {
  int64_t product = zip_length(block) * list_length(block);
  for (const SweepAxis& axis : block.grid) {
    if (product > kMaxCells) break;
    product *= static_cast<int64_t>(axis.values.size());
  }
  return product;
}

// Sets the keys of combination `index`: the list's entry is the fastest digit, then zip, then the
// grid's last key.
void set_combination(const SweepBlock& block, int64_t index, FlatConfig& config) {
  if (!block.list.empty()) {
    override_with(block.list[static_cast<std::size_t>(index % list_length(block))], config);
  }
  index /= list_length(block);
  const auto zipped = static_cast<std::size_t>(index % zip_length(block));
  for (const SweepAxis& axis : block.zip) set(axis.key, axis.values[zipped], config);
  index /= zip_length(block);
  for (auto axis = block.grid.rbegin(); axis != block.grid.rend(); ++axis) {
    const auto values = static_cast<int64_t>(axis->values.size());
    set(axis->key, axis->values[static_cast<std::size_t>(index % values)], config);
    index /= values;
  }
}

[[noreturn]] void fail_too_many(const SweepSpec& spec, const SweepBlock& block, int64_t most,
                                const std::string& of_what) {
  throw ConfigError(spec.file + ": asks for more than " + std::to_string(most) + " " + of_what +
                    (block.name.empty() ? "" : ", in block " + block.name) + "; shorten its lists");
}

// Of one cell.
int64_t most_settings(const FlatConfig& common, const SweepBlock& block) {
  std::size_t listed = 0;
  for (const FlatConfig& entry : block.list) listed = std::max(listed, entry.size());
  return static_cast<int64_t>(common.size() + block.grid.size() + block.zip.size() + listed);
}

bool takes(const SweepBlock& block, const std::string& arm) {
  return block.arms.empty() ||
         std::find(block.arms.begin(), block.arms.end(), arm) != block.arms.end();
}

}  // namespace

std::vector<SweepPoint> expand(const SweepSpec& spec) {
  const std::vector<SweepArm> arms = spec.arms.empty() ? std::vector<SweepArm>(1) : spec.arms;
  const std::vector<SweepBlock> blocks =
      spec.blocks.empty() ? std::vector<SweepBlock>(1) : spec.blocks;

  std::vector<SweepPoint> points;
  int64_t settings = 0;
  for (const SweepBlock& block : blocks) {
    const int64_t count = combinations(block);
    for (const SweepArm& arm : arms) {
      if (!takes(block, arm.name)) continue;
      if (count > kMaxCells - static_cast<int64_t>(points.size())) {
        fail_too_many(spec, block, kMaxCells, "cells");
      }
      FlatConfig common = spec.base;
      make_room(keys_of(arm.overrides), common);
      override_with(arm.overrides, common);
      make_room(keys_of(block), common);
      override_with(block.overrides, common);
      settings += count * most_settings(common, block);
      if (settings > kMaxSettings) {
        fail_too_many(spec, block, kMaxSettings, "settings in all cells together");
      }
      for (int64_t index = 0; index < count; ++index) {
        SweepPoint point{common, {arm.name, block.name}};
        set_combination(block, index, point.config);
        points.push_back(std::move(point));
      }
    }
  }
  return points;
}

}  // namespace scalelaw
