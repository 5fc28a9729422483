// A cell's model: as its keys say, or the one of a size that a ladder asks for.
#include <algorithm>
#include <cmath>
#include <utility>

#include "sweeps/language/cell_numbers.h"
#include "sweeps/language/model_size.h"
#include "trainer/nearest.h"
#include "trainer/number.h"
#include "trainer/sweep_keys.h"

namespace scalelaw {
namespace {

constexpr const char* kSize = "ladder.n";
constexpr const char* kLadder = "ladder.";
constexpr double kFurthest = 2;  // from the size asked for; beyond it no ladder is meant

}  // namespace

bool CellNumbers::is_sized() const {
  return is_written(kSize);
}

bool CellNumbers::chooses_layers() const {
  return is_sized() && !is_written("model.n_layer") &&
         (is_written("ladder.aspect") || is_written("model.d_model"));
}

bool CellNumbers::chooses(const std::string& key) const {
  if (!is_sized()) return false;
  if (key == "model.d_model") return !is_written(key);
  if (key == "model.n_layer") return chooses_layers();
  if (key == "model.n_head") return is_written("ladder.d_head") && !is_written(key);
  return key == "model.d_ff_ratio" && is_written("ladder.d_ff_multiple");
}

double CellNumbers::chosen_number(const std::string& key) {
  const ModelShape& model = shape();
  if (key == "model.d_model") return static_cast<double>(model.d_model);
  if (key == "model.n_layer") return static_cast<double>(model.n_layer);
  return key == "model.n_head" ? static_cast<double>(model.n_head) : model.d_ff_ratio;
}

const ModelShape& CellNumbers::shape() {
  if (shape_) return *shape_;
  const Step step(*this, "N");
  FlatConfig model;
  for (const auto& [key, value] : config_) {
    // What changes no count may follow from it.
    if (!key.starts_with("model.") || key == "model.embedding_std") continue;
    SourcedText text = value;
    if (text.text.starts_with('=')) text.text = canonical(written_number(key));
    model.emplace(key, std::move(text));
  }
  ModelShape written = is_sized() ? read_model(model) : resolve_model(model);
  written.n_vocab = n_vocab_();
  shape_ = is_sized() ? sized(written) : written;
  return *shape_;
}

double CellNumbers::ladder_number(const std::string& key, double least, double usual) {
  if (!is_written(key)) return usual;
  double number = 0;
  try {
    number = number_of_key(key);
  } catch (const NoNumber& fault) {
    throw_config_error(config_.at(key), key, fault.what());
  }
  if (number > 0 && number >= least && number <= 1e15) return number;
  throw_config_error(settled(key, config_.at(key)), key,
                     least > 0 ? "must be " + canonical(least) + " or more, and 1e15 at most"
                               : "must be above 0, and 1e15 at most");
}

int64_t CellNumbers::ladder_whole(const std::string& key, int64_t usual) {
  const double number = ladder_number(key, 1, static_cast<double>(usual));
  if (number == std::rint(number) && number <= 1 << 20) return std::llrint(number);
  throw_config_error(settled(key, config_.at(key)), key, "must be a whole number, 1048576 at most");
}

ModelShape CellNumbers::sized(const ModelShape& written) {
  const SourcedText& asked = config_.at(kSize);
  if (is_written("model.d_model") && is_written("model.n_layer")) {
    throw_config_error(asked, kSize,
                       "stands beside model.n_layer and model.d_model, and nothing is left to "
                       "choose; remove one of them");
  }
  SizeRules rules;
  rules.n = ladder_number(kSize, 0, 0) * ladder_number("ladder.times", 0, 1);
  rules.count = n_counted("ladder.count");
  rules.chooses_width = chooses("model.d_model");
  rules.chooses_layers = chooses("model.n_layer");
  rules.aspect = ladder_number("ladder.aspect", 0, rules.aspect);
  rules.width_multiple = ladder_whole("ladder.width_multiple", rules.width_multiple);
  if (chooses("model.n_head")) rules.d_head = ladder_number("ladder.d_head", 1, rules.d_head);
  if (is_written("ladder.d_ff_multiple")) {
    rules.d_ff_multiple = ladder_whole("ladder.d_ff_multiple", 1);
  }
  ModelShape smallest;
  smallest.arch = written.arch;
  smallest.n_vocab = 1;
  counts_of(smallest);
  std::optional<SizedModel> found;
  try {
    found = model_of_size(written, rules);
  } catch (const KeyError& error) {
    throw_at_its_place(error, config_);
  }
  if (!found) {
    throw_config_error(asked, kSize,
                       "no model of this size can be built under the cell's other keys: widths are "
                       "multiples of ladder.width_multiple that model.n_head and model.d_ff_ratio "
                       "allow (ladder.d_head and ladder.d_ff_multiple allow more), of at least one "
                       "layer");
  }
  if (std::abs(std::log(found->n / rules.n)) > std::log(kFurthest)) {
    throw_config_error(asked, kSize,
                       "no model comes near " + human(rules.n) + ": the nearest has " +
                           human(found->n) + " (n_layer " + std::to_string(found->shape.n_layer) +
                           ", d_model " + std::to_string(found->shape.d_model) +
                           "); widths are multiples of ladder.width_multiple that model.n_head and "
                           "model.d_ff_ratio allow");
  }
  const bool has_default_depth = !rules.chooses_layers && !is_written("model.n_layer");
  const bool chose_heads = chooses("model.n_head") && reads_field(found->shape, "n_head");
  notes_.size =
      CellSize{rules.n, found->n, rules.count, has_default_depth, chose_heads ? rules.d_head : 0};
  return found->shape;
}

void CellNumbers::settle_size() {
  check_ladder_keys();
  FlatConfig chosen;
  if (is_sized()) {
    const ModelShape& model = shape();
    SourcedText value = settled(kSize, config_.at(kSize));
    const std::string asked_by = value.written_as == nullptr ? kSize : value.written_as;
    value.expression = asked_by + ": " + (value.expression.empty() ? value.text : value.expression);
    value.written_as = nullptr;
    const auto set = [&](const std::string& field, double number) {
      if (!chooses("model." + field) || !reads_field(model, field)) return;
      value.text = canonical(number);
      chosen.emplace("model." + field, value);
    };
    set("n_layer", static_cast<double>(model.n_layer));
    set("d_model", static_cast<double>(model.d_model));
    set("n_head", static_cast<double>(model.n_head));
    set("d_ff_ratio", model.d_ff_ratio);
  }
  std::erase_if(config_, [](const auto& entry) { return entry.first.starts_with(kLadder); });
  for (auto& [key, value] : chosen) config_.insert_or_assign(key, std::move(value));
}

void CellNumbers::check_ladder_keys() const {
  static const std::vector<std::string> known = [] {
    std::vector<std::string> names;
    for (const SweepKey& key : sweep_keys()) {
      if (key.name.starts_with(kLadder)) names.push_back(key.name);
    }
    return names;
  }();
  for (auto it = config_.lower_bound(kLadder);
       it != config_.end() && it->first.starts_with(kLadder); ++it) {
    if (std::ranges::find(known, it->first) != known.end()) continue;
    const std::string near = nearest(it->first, known);
    throw_config_error(it->second, it->first,
                       "unknown key" + (near.empty() ? std::string("; `scalelaw explain` lists all")
                                                     : "; did you mean " + near + "?"));
  }
}

ModelCounts CellNumbers::counts_of(const ModelShape& shape) {
  if (const std::optional<ModelCounts> known = count(shape)) return *known;
  throw NoNumber("model.arch = " + shape.arch + " gives no formula for N and C");
}

double CellNumbers::parameters(NCount convention) {
  return n_params(shape(), counts_of(shape()), convention);
}

double CellNumbers::flops_per_token(CCount convention) {
  try {
    return training_flops_per_token(shape(), counts_of(shape()), convention);
  } catch (const std::invalid_argument& error) {
    throw NoNumber("counted as " + std::string(name(convention)) +
                   " it is not defined for model.arch = " + shape().arch + "; choose exact_causal");
  }
}

}  // namespace scalelaw
