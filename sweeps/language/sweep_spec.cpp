#include "sweeps/language/sweep_spec.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "sweeps/language/override_keys.h"
#include "sweeps/language/sweep_spec_parts.h"
#include "trainer/hash.h"
#include "trainer/sweep_keys.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

void read_arms(const SpecParts& parts, const YamlTree& value, SweepSpec& spec) {
  if (value.kind != YamlTree::Kind::kMap || value.map.empty()) {
    parts.fail(value, "arms", "must hold names with what each overrides, as {lstm: {model: ...}}");
  }
  parts.check_count(value, "arms", value.map.size(), kMaxArms);
  for (const auto& [name, inner] : value.map) {
    parts.check_name(inner, "arms", name);
    if (std::ranges::find(spec.arms, name, &SweepArm::name) != spec.arms.end()) {
      parts.fail(inner, "arms." + name, "is an arm of an included file; rename one");
    }
    spec.arms.push_back({name, parts.overrides(inner, "arms." + name)});
  }
}

bool sets(const SweepBlock& block, const std::string& key) {
  const auto is_axis = [&](const std::vector<SweepAxis>& axes) {
    return std::ranges::find(axes, key, &SweepAxis::key) != axes.end();
  };
  return block.overrides.contains(key) || is_axis(block.grid) || is_axis(block.zip) ||
         std::ranges::any_of(block.list, [&](const FlatConfig& e) { return e.contains(key); });
}

void check_seeds(const std::vector<SweepAxis>& seeds, const FlatConfig& base) {
  std::map<std::string, int> line_of;
  for (const SweepAxis& axis : seeds) {
    const SourcedText& first = axis.values.front();
    const auto [other, is_new] = line_of.emplace(axis.key, first.line);
    const auto one = base.find(axis.key);
    if (is_new && one == base.end()) continue;
    throw_config_error(first, axis.key,
                       "is set twice, in line " +
                           std::to_string(is_new ? one->second.line : other->second) +
                           " too; remove one");
  }
}

// Of every block that says nothing of them.
void add_seeds(const std::vector<SweepAxis>& seeds, SweepSpec& spec) {
  if (!seeds.empty() && spec.blocks.empty()) spec.blocks.push_back({});
  for (const SweepArm& arm : spec.arms) {
    for (const SweepAxis& axis : seeds) {
      if (const auto own = arm.overrides.find(axis.key); own != arm.overrides.end()) {
        throw_config_error(own->second, axis.key,
                           "arm " + arm.name + " sets what is a list at the top, in line " +
                               std::to_string(axis.values.front().line) +
                               "; move the list into the blocks of the other arms");
      }
    }
  }
  for (SweepBlock& block : spec.blocks) {
    for (const SweepAxis& axis : seeds) {
      if (!sets(block, axis.key)) block.grid.push_back(axis);
    }
  }
}

// Of a file without blocks. A ladder without sizes is rules for the blocks' ladders.
bool is_combination(const std::string& key, const YamlTree& value) {
  const auto holds_sizes = [&] {
    return value.kind != YamlTree::Kind::kMap ||
           std::ranges::find(value.map, "n", &YamlMember::key) != value.map.end();
  };
  return key == "grid" || key == "zip" || key == "list" || key == "isoflop" ||
         (key == "ladder" && holds_sizes());
}

// Of a name, for such settings; "" for none.
std::string settings_suffix(const std::string& settings) {
  if (settings.empty()) return "";
  return kSettingsEnding + hash_hex(settings).substr(0, kSettingsDigits);
}

// One file after another into one sweep.
class SpecReader {
 public:
  void read_file(const std::filesystem::path& file, const SpecParts* from, const YamlTree* where) {
    std::error_code error;
    std::string whole = std::filesystem::weakly_canonical(file, error).string();
    if (error) whole = file.string();
    if (std::ranges::find(open_, whole) != open_.end()) {
      from->fail(*where, "include", "includes itself, by way of " + joined(open_));
    }
    if (++files_ > kMaxFiles) {
      from->fail(*where, "include", "more than " + std::to_string(kMaxFiles) + " files in all");
    }
    open_.push_back(whole);
    std::string yaml;
    try {
      yaml = read_yaml_text(file);
    } catch (const ConfigError& fault) {
      if (from == nullptr) throw;
      from->fail(*where, "include", fault.what());
    }
    if (open_.size() == 1) file_hash = hash_hex(yaml);
    read_text(yaml, file.string(), file.parent_path());
    open_.pop_back();
  }

  // No `folder`: a text of no file, which includes none.
  void read_text(std::string_view yaml, const std::string& name,
                 const std::optional<std::filesystem::path>& folder) {
    read += yaml;
    const SpecParts parts(name);
    const YamlTree root = parse_yaml_tree(yaml, name);
    check_root(parts, root);
    for (const auto& [key, value] : root.map) {
      if (key == "include") read_included(parts, value, folder);
    }
    read_root(parts, root);
  }

  SweepSpec take(const std::string& file) {
    add_seeds(seeds_, spec_);
    for (SweepBlock& block : spec_.blocks) {
      if (!spec_.base.contains("ladder.count")) count_as_the_centre(block);
    }
    check_keep(spec_);
    spec_.file = file;
    return std::move(spec_);
  }

  std::string read;       // all files' bytes
  std::string file_hash;  // of the first file

 private:
  static void check_root(const SpecParts& parts, const YamlTree& root) {
    if (root.kind != YamlTree::Kind::kMap) {
      parts.fail(root, "", "a sweep file is a list of `key: value` lines");
    }
    if (root.map.empty()) parts.fail(root, "", "the file is empty; begin with `spec: 1`");
  }

  void read_included(const SpecParts& parts, const YamlTree& value,
                     const std::optional<std::filesystem::path>& folder) {
    if (!folder) parts.fail(value, "include", "stands in files alone");
    if (value.kind == YamlTree::Kind::kMap) parts.fail(value, "include", "takes files' names");
    const bool is_one = value.kind == YamlTree::Kind::kScalar;
    if (!is_one && value.sequence.empty()) {
      parts.fail(value, "include", "the list is empty; it needs a file's name");
    }
    for (const YamlTree& entry : is_one ? std::vector{value} : value.sequence) {
      read_file(*folder / parts.scalar(entry, "include").text, &parts, &entry);
    }
  }

  // Of included files too: one may be a sweep of its own.
  void read_root(const SpecParts& parts, const YamlTree& root) {
    // Arms first, so that blocks may name them whatever the order in the file.
    for (const auto& [key, value] : root.map) {
      if (key == "arms") read_arms(parts, value, spec_);
    }
    KeyFlattener base = parts.flattener();
    YamlTree combinations;
    std::vector<SweepAxis> seeds;
    std::string name;
    bool has_blocks = false;
    for (const auto& [key, value] : root.map) {
      if (key == "name") {
        name = parts.checked_name(value, "name");
      } else if (key == "blocks") {
        read_blocks(parts, value, spec_);
        has_blocks = true;
      } else if (key == "budget") {
        spec_.budget = read_budget(parts, value);
      } else if (key == "critical_batch") {
        spec_.critical_batch = read_critical_batch(parts, value);
      } else if (key == "executor") {
        read_executor(parts, value, spec_.executor);
      } else if (key == "keep") {
        spec_.keep = read_keep(parts, value);
      } else if (key == "order") {
        spec_.order = read_order(parts, value);
      } else if (key == "tune") {
        spec_.tune = read_tune(parts, value);
      } else if (key == "hold_out") {
        spec_.hold_out = read_hold_out(parts, value);
      } else if (key == "spec") {
        read_spec_number(parts, value);
      } else if (is_combination(key, value)) {
        combinations.map.push_back({key, value});
      } else if (key != "arms" && key != "include") {
        std::vector<std::string> known = {"spec"};
        for (std::string& file_key : sweep_file_keys()) known.push_back(std::move(file_key));
        parts.check_section(key, value, std::move(known));
        add_with_seeds(parts, key, value, base, seeds);
      }
    }
    if (!combinations.map.empty()) {
      const auto& [key, value] = combinations.map.front();
      if (has_blocks || !spec_.blocks.empty()) {
        parts.fail(value, key, "stands beside blocks; give it a name and move it into them");
      }
      read_combinations(parts, combinations, spec_);
    }
    if (spec_.blocks.size() > 1 && spec_.blocks.front().name.empty()) {
      parts.fail(root, "blocks",
                 "stand beside combinations at the top of an included file; move those into a "
                 "block with a name");
    }
    take_base(base.take(), seeds);
    if (open_.size() > 1) return;
    if (!spec_.base.contains("spec")) {
      parts.fail(root, "spec", "is missing; write `spec: 1`, the number that freezes the defaults");
    }
    if (name.empty()) parts.fail(root, "name", "is missing; write `name: my_sweep`");
    spec_.name = name;
  }

  void read_spec_number(const SpecParts& parts, const YamlTree& value) {
    const SourcedText number = parts.scalar(value, "spec");
    const auto [before, is_first] = spec_.base.emplace("spec", number);
    if (is_first || before->second.text == number.text) return;
    throw_config_error(number, "spec",
                       "is " + before->second.text + " in " + before->second.file +
                           ", which it includes; defaults of two numbers do not mix");
  }

  void take_base(const FlatConfig& base, std::vector<SweepAxis>& seeds) {
    check_seeds(seeds, base);
    for (SweepAxis& axis : seeds) {
      std::erase_if(seeds_, [&](const SweepAxis& before) { return before.key == axis.key; });
      spec_.base.erase(axis.key);
      seeds_.push_back(std::move(axis));
    }
    std::erase_if(seeds_, [&](const SweepAxis& before) { return base.contains(before.key); });
    override_keys(base, spec_.base);
  }

  SweepSpec spec_;
  std::vector<SweepAxis> seeds_;   // lists of seeds at the top
  std::vector<std::string> open_;  // files being read, the first one first
  std::size_t files_ = 0;
};

}  // namespace

SweepSpec parse_sweep_spec(std::string_view yaml, const std::string& file_name) {
  SpecReader reader;
  reader.read_text(yaml, file_name, std::nullopt);
  SweepSpec spec = reader.take(file_name);
  refuse_fits(spec);
  spec.content_hash = hash_hex(reader.read);
  return spec;
}

SweepSpec read_sweep_spec(const std::filesystem::path& file,
                          const std::vector<std::string>& settings) {
  SpecReader reader;
  reader.read_file(file, nullptr, nullptr);
  SweepSpec spec = reader.take(file.string());
  for (const std::string& setting : settings) {
    const std::string key = setting.substr(0, setting.find('='));
    if (spec.settings.contains(key)) throw ConfigError("--set " + setting + ": is set twice");
    apply_setting(spec.settings, setting);
    reader.read += "\n" + setting;
  }
  take_fits(spec, reader.read);
  // Its record is not the study's, which a trial must not replace, nor is what it predicts of other
  // runs, which stands for ever. `how` makes none.
  std::string all, of_identity;
  for (const auto& [key, value] : spec.settings) {
    const std::string setting = key + "=" + value.text + "\n";
    all += setting;
    if (!key.starts_with("how.")) of_identity += setting;
  }
  spec.name += settings_suffix(all);
  if (spec.hold_out) spec.hold_out->ending = settings_suffix(of_identity);
  spec.content_hash = hash_hex(reader.read);
  spec.file_hash = reader.file_hash;
  return spec;
}

}  // namespace scalelaw
