// What the parts of a sweep file have in common: values, names, and keys of a configuration.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sweeps/language/sweep_spec.h"
#include "trainer/flat_keys.h"
#include "trainer/yaml_tree.h"

namespace scalelaw {

// Every member throws ConfigError with file, line and key.
class SpecParts {
 public:
  explicit SpecParts(std::string file) : file_(std::move(file)) {}

  [[noreturn]] void fail(const YamlTree& where, std::string_view key,
                         const std::string& rule) const;
  [[noreturn]] void fail(int line, std::string_view key, const std::string& rule) const;

  SourcedText source(const YamlTree& value) const { return {"", file_, value.line}; }  // no text
  // The members of a map, each one of `known`.
  std::map<std::string, const YamlTree*> members(const YamlTree& value, const std::string& what,
                                                 const std::vector<std::string>& known) const;
  // One value; no list, no map.
  SourcedText scalar(const YamlTree& value, const std::string& key) const;
  void check_count(const YamlTree& where, std::string_view key, std::size_t count,
                   std::size_t most) const;
  // Letters, digits, '_', '-', '.': what can be a folder's name.
  void check_name(const YamlTree& where, const std::string& key, const std::string& name) const;
  std::string checked_name(const YamlTree& value, const std::string& key) const;
  // `key` begins with a section of the configuration; `parts` are what else may stand here.
  void check_section(const std::string& key, const YamlTree& value,
                     std::vector<std::string> parts) const;
  // A range or a list of sizes, where only a block's ladder has them.
  void refuse_sizes(const YamlTree& value, const std::string& key) const;
  KeyFlattener flattener() const;  // of keys with one value each
  // A map of a configuration's keys; `what` names it in messages.
  FlatConfig overrides(const YamlTree& value, const std::string& what) const;

 private:
  // A key of sweep files that is none of `parts`, or not as it is written.
  void check_place(const std::string& key, const YamlTree& value,
                   const std::vector<std::string>& parts) const;

  std::string file_;
};

std::string joined(const std::vector<std::string>& names);  // "a, b"

// {n: ..., aspect: 32} and {budgets: ..., centre: ...} of a block: what is swept goes into its
// grid, what each of its cells has into `rules`.
void read_ladder(const SpecParts& parts, const YamlTree& value, SweepBlock& block,
                 KeyFlattener& rules);
void read_isoflop(const SpecParts& parts, const YamlTree& value, SweepBlock& block,
                  KeyFlattener& rules);

// Sizes about a law's centre count as the law does, where the block does not say.
void count_as_the_centre(SweepBlock& block);

// {fit: FILE}; not read yet.
SweepFit read_critical_batch(const SpecParts& parts, const YamlTree& value);
// Reads what blocks' centres and critical_batch name, and appends it to `read`. Sizes and budgets
// about a fitted centre count as the fit does.
void take_fits(SweepSpec& spec, std::string& read);
// Where there is no folder to read from.
void refuse_fits(const SweepSpec& spec);

// A key's value into `keys`; lists of seeds, `seeds: {init: [1, 2]}`, into `grid`.
void add_with_seeds(const SpecParts& parts, const std::string& key, const YamlTree& value,
                    KeyFlattener& keys, std::vector<SweepAxis>& grid);

// {flops: 5e18, device_hours: 60, when_reached: start_nothing_new}
SweepBudget read_budget(const SpecParts& parts, const YamlTree& value);
// {profile: NAME, device: cuda, jobs: 2, replicas: auto, time_limit: 8h}, over what is there.
void read_executor(const SpecParts& parts, const YamlTree& value, SweepExecutor& executor);
// {resume_state: until_complete, weights: hold_out}
SweepKeep read_keep(const SpecParts& parts, const YamlTree& value);
// That what it tells apart is told in the file, or one that it includes.
void check_keep(const SweepSpec& spec);
StartOrder read_order(const SpecParts& parts, const YamlTree& value);

// {learning_rate: {where: N <= 1e6, factors: [0.5, 1, 2], then: fit_law}}
// "N <= 1e6", without a =.
SourcedText read_condition(const SpecParts& parts, const YamlTree& value, const std::string& key);
// {where: N > 3e7, register: hero}
HoldOut read_hold_out(const SpecParts& parts, const YamlTree& value);
RateTuning read_tune(const SpecParts& parts, const YamlTree& value);

// Fills in spec.blocks; spec.arms must be there.
void read_blocks(const SpecParts& parts, const YamlTree& value, SweepSpec& spec);
// The same of {grid: …, zip: …, list: …, ladder: …} at the top of a file that has no blocks.
void read_combinations(const SpecParts& parts, const YamlTree& value, SweepSpec& spec);

}  // namespace scalelaw
