// Blocks of a sweep file: which combinations of which keys.
#include <algorithm>
#include <map>
#include <utility>

#include "sweeps/language/sweep_spec_parts.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"
#include "trainer/sweep_keys.h"

namespace scalelaw {
namespace {

class BlockReader : private SpecParts {
 public:
  explicit BlockReader(const SpecParts& parts) : SpecParts(parts) {}

  // The combinations of a file without blocks: a block without a name.
  SweepBlock read_combinations(const YamlTree& value, const SweepSpec& spec) const {
    SweepBlock block = read_parts(value, spec);
    check(block);
    return block;
  }

  SweepBlock read_block(const YamlTree& value, const SweepSpec& spec) const {
    if (value.kind != YamlTree::Kind::kMap) {
      fail(value, "blocks", "a block is {name: ..., grid: ...}");
    }
    SweepBlock block = read_parts(value, spec);
    if (block.name.empty()) fail(value, "blocks", "this block has no name; add `name: sizes`");
    check(block);
    return block;
  }

 private:
  SweepBlock read_parts(const YamlTree& value, const SweepSpec& spec) const {
    SweepBlock block;
    KeyFlattener keys = flattener();
    for (const auto& [key, inner] : value.map) {
      if (key == "name") {
        block.name = checked_name(inner, "blocks.name");
      } else if (key == "grid" || key == "zip") {
        std::vector<SweepAxis>& axes = key == "grid" ? block.grid : block.zip;
        for (SweepAxis& axis : read_axes(inner, key)) axes.push_back(std::move(axis));
      } else if (key == "list") {
        read_list(inner, block);
      } else if (key == "ladder") {
        read_ladder(*this, inner, block, keys);
      } else if (key == "isoflop") {
        read_isoflop(*this, inner, block, keys);
      } else if (key == "arms") {
        read_block_arms(inner, spec, block);
      } else {
        check_section(key, inner, sweep_block_keys());
        add_with_seeds(*this, key, inner, keys, block.grid);
      }
    }
    block.overrides = keys.take();
    return block;
  }

  void check(const SweepBlock& block) const {
    check_zip(block);
    check_set_once(block);
  }

  void read_block_arms(const YamlTree& value, const SweepSpec& spec, SweepBlock& block) const {
    if (value.kind != YamlTree::Kind::kSequence || value.sequence.empty()) {
      fail(value, "arms", "must be a list of the sweep's arms, as [lstm]");
    }
    std::vector<std::string> known;
    for (const SweepArm& arm : spec.arms) known.push_back(arm.name);
    for (const YamlTree& entry : value.sequence) {
      const std::string name = scalar(entry, "arms").text;
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        fail(entry, "arms",
             "no such arm" +
                 (known.empty() ? "; the sweep has no arms" : nearest_or_all(name, known)));
      }
      if (std::find(block.arms.begin(), block.arms.end(), name) != block.arms.end()) {
        fail(entry, "arms", "this arm is named twice; remove one");
      }
      block.arms.push_back(name);
    }
  }

  std::vector<SweepAxis> read_axes(const YamlTree& value, const std::string& what) const {
    if (value.kind != YamlTree::Kind::kMap || value.map.empty()) {
      fail(value, what, "must hold keys with lists, as {model.d_model: [16, 32]}");
    }
    std::vector<SweepAxis> axes;
    for (const auto& [key, inner] : value.map) {
      check_section(key, inner, {});
      add_axes(key, inner, what, axes);
    }
    return axes;
  }
  void add_axes(const std::string& key, const YamlTree& value, const std::string& what,
                std::vector<SweepAxis>& axes) const {
    if (value.kind == YamlTree::Kind::kMap) {
      if (key == "ladder.n") {
        fail(value, key, "takes a list in a " + what + "; a range stands in the block's ladder");
      }
      for (const auto& [inner, inner_value] : value.map) {
        add_axes(key + "." + inner, inner_value, what, axes);
      }
      return;
    }
    if (value.kind == YamlTree::Kind::kScalar) {
      fail(value, key, "takes a list in a " + what + ", as [" + excerpt(value.text) + "]");
    }
    if (value.sequence.empty()) fail(value, key, "the list is empty; a " + what + " needs values");
    SweepAxis axis{key, {}};
    for (const YamlTree& entry : value.sequence) axis.values.push_back(scalar(entry, key));
    axes.push_back(std::move(axis));
  }

  void read_list(const YamlTree& value, SweepBlock& block) const {
    if (value.kind != YamlTree::Kind::kSequence || value.sequence.empty()) {
      fail(value, "list", "must be a list of overrides, as [{model: {d_model: 64}}]");
    }
    for (const YamlTree& entry : value.sequence) block.list.push_back(overrides(entry, "list"));
  }

  void check_zip(const SweepBlock& block) const {
    for (const SweepAxis& axis : block.zip) {
      const SweepAxis& first = block.zip.front();
      if (axis.values.size() != first.values.size()) {
        fail(axis.values.front().line, axis.key,
             "zip takes lists of one length: this one has " + std::to_string(axis.values.size()) +
                 " values, " + first.key + " has " + std::to_string(first.values.size()));
      }
    }
  }

  // Which of two settings would win is a guess the file should not leave to its reader.
  void check_set_once(const SweepBlock& block) const {
    std::map<std::string, int> line_of;
    const auto add = [&](const std::string& key, const SourcedText& value) {
      const auto [place, inserted] = line_of.emplace(key, value.line);
      if (!inserted) {
        throw_config_error(value, key,
                           "is set twice in " +
                               (block.name.empty() ? "grid, zip and list" : "block " + block.name) +
                               ", first in line " + std::to_string(place->second) + "; remove one");
      }
    };
    for (const auto& [key, value] : block.overrides) add(key, value);
    for (const SweepAxis& axis : block.grid) add(axis.key, axis.values.front());
    for (const SweepAxis& axis : block.zip) add(axis.key, axis.values.front());
    FlatConfig listed;
    for (const FlatConfig& entry : block.list) listed.insert(entry.begin(), entry.end());
    for (const auto& [key, value] : listed) add(key, value);
  }
};

}  // namespace

void add_with_seeds(const SpecParts& parts, const std::string& key, const YamlTree& value,
                    KeyFlattener& keys, std::vector<SweepAxis>& grid) {
  if (value.kind == YamlTree::Kind::kMap && key == "seeds" && !value.map.empty()) {
    for (const auto& [member, inner] : value.map) {
      add_with_seeds(parts, key + "." + member, inner, keys, grid);
    }
  } else if (value.kind == YamlTree::Kind::kSequence && key.starts_with("seeds.")) {
    if (value.sequence.empty()) parts.fail(value, key, "the list is empty; it needs a seed");
    SweepAxis axis{key, {}};
    for (const YamlTree& entry : value.sequence) axis.values.push_back(parts.scalar(entry, key));
    grid.push_back(std::move(axis));
  } else {
    keys.add(key, value);
  }
}

void read_blocks(const SpecParts& parts, const YamlTree& value, SweepSpec& spec) {
  if (value.kind != YamlTree::Kind::kSequence || value.sequence.empty()) {
    parts.fail(value, "blocks", "must be a list of blocks, as [{name: sizes, grid: {...}}]");
  }
  parts.check_count(value, "blocks", value.sequence.size(), kMaxBlocks);
  const BlockReader reader(parts);
  for (const YamlTree& entry : value.sequence) {
    SweepBlock block = reader.read_block(entry, spec);
    for (const SweepBlock& before : spec.blocks) {
      if (before.name == block.name) {
        parts.fail(entry, "blocks", "two blocks are named " + block.name + "; rename one");
      }
    }
    spec.blocks.push_back(std::move(block));
  }
}

void read_combinations(const SpecParts& parts, const YamlTree& value, SweepSpec& spec) {
  spec.blocks.push_back(BlockReader(parts).read_combinations(value, spec));
}

}  // namespace scalelaw
