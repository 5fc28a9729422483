// Laws that were fitted to other runs, in files that a sweep's file names.
#include <algorithm>
#include <filesystem>

#include "sweeps/language/sweep_spec_parts.h"
#include "trainer/number.h"
#include "trainer/yaml_tree.h"

namespace scalelaw {
namespace {

constexpr const char* kCentre = "isoflop.centre.fit";
constexpr const char* kBudgetCount = "horizon.count";
constexpr const char* kCriticalBatch = "critical_batch.fit";

void read_fit(SweepFit& fit, const char* key, FittedQuantity quantity, std::string& read) {
  const std::filesystem::path folder = std::filesystem::path(fit.file.file).parent_path();
  FitFile file;
  try {
    const std::string text = read_yaml_text(folder / fit.file.text, kMaxFitFileBytes);
    read += "\n" + text;
    file = fit_file_from_json(text);
  } catch (const std::runtime_error& error) {
    throw_config_error(fit.file, key, error.what());
  }
  const FittedLaw* law = file.find(quantity);
  if (law == nullptr) {
    throw_config_error(fit.file, key,
                       "holds no " + std::string(name(quantity)) +
                           (quantity == FittedQuantity::kNOpt
                                ? "; `scalelaw fit RUNS --law chinchilla --out FILE` writes it"
                                : ""));
  }
  if (law->variable == FitVariable::kLoss) {
    throw_config_error(fit.file, key,
                       "its critical_batch is of the loss L, which is not known before a run has "
                       "ended; give one of D or N");
  }
  fit.law = *law;
}

bool is_swept(const SweepBlock& block, const std::string& key) {
  const auto is_axis = [&](const SweepAxis& axis) { return axis.key == key; };
  return std::ranges::any_of(block.grid, is_axis) || std::ranges::any_of(block.zip, is_axis) ||
         std::ranges::any_of(block.list, [&](const FlatConfig& e) { return e.contains(key); });
}

// The count that N* and its C are of: two of them in one isoflop would move its minima.
class CentreCount {
 public:
  CentreCount(const SweepFit& fit, std::string key, std::string_view count)
      : fit_(fit), key_(std::move(key)), count_(count) {}

  // What overrides every cell.
  void agree_everywhere(const FlatConfig& settings) const { agree(settings, key_); }
  // `written` for cells of other blocks too, and their horizons.
  void agree(const FlatConfig& written) const {
    const bool is_of_a_horizon =
        key_ == kBudgetCount &&
        (written.contains("horizon.flops") || written.contains("horizon.tokens_per_param"));
    if (!is_of_a_horizon) agree(written, key_);
  }

  void settle(SweepBlock& block) const {
    if (is_swept(block, key_)) {
      throw_config_error(fit_.file, kCentre,
                         "counts " + count_ + ", and the block sweeps " + shown() +
                             "; remove that, or write the centre as an expression");
    }
    agree(block.overrides, shown());
    SourcedText count = fit_.file;
    count.text = count_;
    count.written_as = kCentre;
    block.overrides.insert_or_assign(key_, count);
  }

 private:
  void agree(const FlatConfig& written, const std::string& shown) const {
    const auto found = written.find(key_);
    if (found == written.end() || found->second.text == count_) return;
    throw_config_error(found->second, shown,
                       "contradicts the fit " + fit_.file.text + ", which counts " + count_ +
                           "; remove it, or fit with that count");
  }
  std::string shown() const { return key_ == kBudgetCount ? "isoflop.count" : key_; }

  const SweepFit& fit_;
  std::string key_, count_;
};

void settle_centre(const SweepSpec& spec, SweepBlock& block) {
  const FittedLaw& law = block.centre->law;
  const CentreCount of_n(*block.centre, "ladder.count", name(law.n_count.value()));
  const CentreCount of_c(*block.centre, kBudgetCount, name(law.c_count.value()));
  for (const CentreCount* count : {&of_n, &of_c}) {
    count->agree_everywhere(spec.settings);
    count->agree(spec.base);
    for (const SweepArm& arm : spec.arms) {
      const bool is_taken =
          block.arms.empty() || std::ranges::find(block.arms, arm.name) != block.arms.end();
      if (is_taken) count->agree(arm.overrides);
    }
    count->settle(block);
  }
  SourcedText n = block.centre->file;
  n.written_as = "isoflop.centre";
  n.text = "= " + canonical(law.coefficient) + " * budget^" + canonical(law.exponent);
  const auto [other, is_new] = block.overrides.emplace("ladder.n", n);
  if (!is_new || is_swept(block, "ladder.n")) {
    throw_config_error(block.centre->file, kCentre,
                       "gives the sizes, and ladder.n is set beside it; remove one");
  }
}

}  // namespace

SweepFit read_critical_batch(const SpecParts& parts, const YamlTree& value) {
  const auto members = parts.members(value, "critical_batch", {"fit"});
  return {parts.scalar(*members.at("fit"), kCriticalBatch), {}};
}

void take_fits(SweepSpec& spec, std::string& read) {
  for (SweepBlock& block : spec.blocks) {
    if (!block.centre) continue;
    read_fit(*block.centre, kCentre, FittedQuantity::kNOpt, read);
    settle_centre(spec, block);
  }
  if (spec.critical_batch) {
    read_fit(*spec.critical_batch, kCriticalBatch, FittedQuantity::kCriticalBatch, read);
  }
}

void refuse_fits(const SweepSpec& spec) {
  constexpr const char* kRule = "stands in files alone";
  for (const SweepBlock& block : spec.blocks) {
    if (block.centre) throw_config_error(block.centre->file, kCentre, kRule);
  }
  if (spec.critical_batch) throw_config_error(spec.critical_batch->file, kCriticalBatch, kRule);
}

}  // namespace scalelaw
