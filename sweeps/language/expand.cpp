#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sweeps/language/override_keys.h"
#include "sweeps/language/sweep_spec.h"

namespace scalelaw {
namespace {

std::set<std::string> swept_keys(const SweepBlock& block) {
  std::set<std::string> keys;
  for (const SweepAxis& axis : block.grid) keys.insert(axis.key);
  for (const SweepAxis& axis : block.zip) keys.insert(axis.key);
  for (const FlatConfig& entry : block.list) keys.merge(keys_of(entry));
  return keys;
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

// The block's keys and those of combination `index`: the list's entry is the fastest digit, then
// zip, then the grid's last key.
FlatConfig combination(const SweepBlock& block, int64_t index) {
  FlatConfig config = block.overrides;
  if (!block.list.empty()) {
    override_keys(block.list[static_cast<std::size_t>(index % list_length(block))], config);
  }
  index /= list_length(block);
  const auto zipped = static_cast<std::size_t>(index % zip_length(block));
  for (const SweepAxis& axis : block.zip) override_key(axis.key, axis.values[zipped], config);
  index /= zip_length(block);
  for (auto axis = block.grid.rbegin(); axis != block.grid.rend(); ++axis) {
    const auto values = static_cast<int64_t>(axis->values.size());
    override_key(axis->key, axis->values[static_cast<std::size_t>(index % values)], config);
    index /= values;
  }
  return config;
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
  return static_cast<int64_t>(common.size() + block.overrides.size() + block.grid.size() +
                              block.zip.size() + listed);
}

// What varies and is set from outside as well would be one cell many times over.
void check_settings(const SweepSpec& spec, const SweepBlock& block) {
  for (const std::string& key : swept_keys(block)) {
    FlatConfig swept = {{key, {}}};
    make_room(keys_of(spec.settings), swept);
    const auto setting = spec.settings.find(key);
    if (setting == spec.settings.end() && !swept.empty()) continue;
    const auto& [set, value] = setting != spec.settings.end() ? *setting : *spec.settings.begin();
    throw_config_error(value, set,
                       key + " is swept" + (block.name.empty() ? "" : " by block " + block.name) +
                           "; change it in " + spec.file);
  }
}

// Arms that differ in nothing but what is set from outside would be one.
void check_settings_of_arms(const SweepSpec& spec) {
  if (spec.settings.empty()) return;
  std::map<std::string, const SweepArm*> by_rest;
  for (const SweepArm& arm : spec.arms) {
    FlatConfig rest = arm.overrides;
    make_room(keys_of(spec.settings), rest);
    std::string text;
    for (const auto& [key, value] : rest) {
      if (!spec.settings.contains(key)) text += key + "=" + value.text + "\n";
    }
    const auto [other, is_new] = by_rest.emplace(text, &arm);
    if (is_new) continue;
    const auto& [key, value] = *spec.settings.begin();
    throw_config_error(value, key,
                       "leaves nothing that arms " + other->second->name + " and " + arm.name +
                           " differ in; change it in " + spec.file);
  }
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
  // A block that asks for a size takes the place of the base's width, not of its arm's.
  FlatConfig base_without_width = spec.base;
  base_without_width.erase("model.d_model");

  check_settings_of_arms(spec);
  std::vector<SweepPoint> points;
  int64_t settings = 0;
  for (const SweepBlock& block : blocks) {
    check_settings(spec, block);
    const int64_t count = combinations(block);
    for (const SweepArm& arm : arms) {
      if (!takes(block, arm.name)) continue;
      if (count > kMaxCells - static_cast<int64_t>(points.size())) {
        fail_too_many(spec, block, kMaxCells, "cells");
      }
      FlatConfig common = spec.base, without_width = base_without_width;
      override_keys(arm.overrides, common);
      override_keys(arm.overrides, without_width);
      settings += count * most_settings(common, block);
      if (settings > kMaxSettings) {
        fail_too_many(spec, block, kMaxSettings, "settings in all cells together");
      }
      for (int64_t index = 0; index < count; ++index) {
        const FlatConfig own = combination(block, index);
        const bool is_sized = own.contains("ladder.n") && !block.name.empty();
        SweepPoint point{is_sized ? without_width : common, {arm.name, block.name}};
        make_room_for_horizon(keys_of(own), point.config);
        for (const auto& [key, value] : own) override_key(key, value, point.config);
        override_keys(spec.settings, point.config);
        points.push_back(std::move(point));
      }
    }
  }
  return points;
}

}  // namespace scalelaw
