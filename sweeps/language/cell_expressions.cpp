// A cell's names and keys, and expressions of them.
#include "sweeps/language/cell_expressions.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "sweeps/language/cell_numbers.h"
#include "sweeps/language/expression.h"
#include "sweeps/language/named_laws.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr const char* kTokens = "horizon.tokens";
constexpr const char* kFlops = "horizon.flops";
constexpr const char* kBatch = "train.batch_tokens";

const std::map<std::string, NCount>& parameter_names() {
  static const std::map<std::string, NCount> names = {
      {"N", NCount::kNonEmbedding},
      {"N_plus_head", NCount::kNonEmbeddingPlusHead},
      {"N_total", NCount::kTotal}};
  return names;
}

bool is_expression(const SourcedText& value) {
  return value.text.starts_with('=');
}

// The key that `name` is the path or, where no other ends so, the last part of; "" where none is.
std::string key_called(const std::string& name) {
  static const std::map<std::string, std::string> keys = [] {
    std::map<std::string, std::string> by_name;
    std::map<std::string, int> times;
    for (const ConfigKey& key : config_keys()) {
      const std::string last = key.name.substr(key.name.rfind('.') + 1);
      by_name[key.name] = key.name;
      if (++times[last] == 1) {
        by_name.emplace(last, key.name);
      } else if (last != key.name) {
        by_name.erase(last);
      }
    }
    return by_name;
  }();
  const auto found = keys.find(name);
  return found == keys.end() ? "" : found->second;
}

std::string default_of(const std::string& key) {
  for (const ConfigKey& known : config_keys()) {
    if (known.name == key) return known.default_text;
  }
  return "";
}

std::string unknown(const std::string& name) {
  std::vector<std::string> names = {"D", "C", "n_vocab", "budget"};
  for (const auto& [each, count] : parameter_names()) names.push_back(each);
  for (const ConfigKey& key : config_keys()) {
    const std::string last = key.name.substr(key.name.rfind('.') + 1);
    names.push_back(key_called(last).empty() ? key.name : last);
  }
  const std::string near = nearest(name, names);
  return "there is no " + excerpt(name) +
         (near.empty() ? "; there are N, D, C, n_vocab and the keys of a configuration"
                       : "; did you mean " + near + "?");
}

// Behind the =; a condition has none.
std::string formula_of(const SourcedText& value) {
  return value.text.substr(is_expression(value) ? 1 : 0);
}

std::string place_in(const SourcedText& value, std::size_t position) {
  const std::string text = formula_of(value);
  const bool is_behind = is_expression(value) && position < text.size();
  return at_character(text, position) + (is_behind ? " behind the =" : "") + ": ";
}

// Of a key that a ladder must know before it can choose, and that follows from what it chooses.
std::string way_out_of_ladder(const std::string& key) {
  static const std::map<std::string, std::string> others = {
      {"model.n_head", "remove it and write ladder.d_head, the features of a head"},
      {"model.n_layer", "remove it and write ladder.aspect, d_model / n_layer"},
      {"model.d_ff_ratio", "write a number (ladder.d_ff_multiple rounds d_ff)"}};
  const auto other = others.find(key);
  return "; ladder.n chooses the model by " + key +
         ", which cannot follow from that model's d_model, n_layer, N or D: " +
         (other == others.end() ? "write a number" : other->second);
}

}  // namespace

CellNumbers::Step::Step(CellNumbers& cell, const std::string& what) : path_(cell.path_) {
  const auto before = std::find(path_.begin(), path_.end(), what);
  if (before != path_.end()) {
    cell.fail_in_circle({before, path_.end()});
  }
  path_.push_back(what);
}

void CellNumbers::fail_in_circle(const std::vector<std::string>& circle) const {
  std::string rule = "expressions go in a circle: ";
  for (std::size_t i = 0; i < circle.size(); ++i) {
    rule += circle[i] + " needs ";
    const auto asked = asked_for_.find(circle[i]);
    if (asked == asked_for_.end()) continue;
    // Written is what follows from the next one.
    const std::string &name = asked->second.name, &next = circle[(i + 1) % circle.size()];
    const bool is_next = name == next || key_called(name) == next;
    if (!is_next && !parameter_names().contains(name)) rule += name + " needs ";
  }
  rule += circle.front();
  for (const std::string& key : circle) {
    const auto found = config_.find(key);
    if (found == config_.end()) continue;
    if (is_sized() && key.starts_with("model.")) rule += way_out_of_ladder(key);
    throw_config_error(found->second, key,
                       place_in(found->second, asked_for_.at(key).position) + rule);
  }
  throw ConfigError(rule);
}

CellNotes CellNumbers::evaluate() {
  settle_size();
  settle_horizon();
  if (const auto batch = config_.find(kBatch); batch != config_.end()) {
    batch->second = settled(kBatch, batch->second);
  }
  has_horizon_ = true;
  std::vector<std::string> keys;
  for (const auto& [key, value] : config_) {
    if (is_expression(value)) keys.push_back(key);
  }
  for (const std::string& key : keys) config_.at(key) = settled(key, config_.at(key));
  return std::move(notes_);
}

SourcedText CellNumbers::settled(const std::string& key, SourcedText value) {
  if (!is_expression(value)) return value;
  value.expression = std::exchange(value.text, canonical(number_of_key(key)));
  return value;
}

double CellNumbers::number_of_key(const std::string& key) {
  if (const auto known = numbers_.find(key); known != numbers_.end()) return known->second;
  if (chooses(key)) return chosen_number(key);
  const double number = written_number(key);
  numbers_[key] = number;
  return number;
}

double CellNumbers::written_number(const std::string& key) {
  const auto written = config_.find(key);
  if (written != config_.end() && is_expression(written->second)) {
    const Step step(*this, key);
    return evaluate(written->second, key);
  }
  const std::string text = written == config_.end() ? default_of(key) : written->second.text;
  if (const std::optional<double> read = parse_real(text)) return *read;
  throw NoNumber(key + (text.empty() ? "" : " = " + excerpt(text)) + " is no number");
}

double CellNumbers::evaluate(const SourcedText& value, const std::string& key) {
  try {
    const Expression& expression = expressions_.of(formula_of(value));
    for (const NamedLaw* law : expression.laws()) {
      if (std::ranges::find(notes_.laws, law) == notes_.laws.end()) notes_.laws.push_back(law);
    }
    return expression.value([&](const Expression::Name& name) {
      asked_for_.insert_or_assign(key, name);
      try {
        return number_called(name.name);
      } catch (const NoNumber& fault) {
        throw ExpressionFault(fault.what(), name.position);
      }
    });
  } catch (const ExpressionFault& fault) {
    throw_config_error(value, key, place_in(value, fault.position()) + fault.what());
  }
}

double CellNumbers::number_called(const std::string& name) {
  if (const auto of = parameter_names().find(name); of != parameter_names().end()) {
    return parameters(of->second);
  }
  if (name == "D") return tokens();
  if (name == "C") return tokens() * flops_per_token(CCount::kExactCausal);
  if (name == "n_vocab") return static_cast<double>(n_vocab_());
  if (name == "budget") {
    if (is_written(kFlops) || numbers_.contains(kFlops)) return number_of_key(kFlops);
    throw NoNumber("budget is what a horizon in FLOPs asks for, and this one is none");
  }
  const std::string key = key_called(name);
  if (key == kTokens) return tokens();
  if (key.empty()) throw NoNumber(unknown(name));
  return number_of_key(key);
}

CellNotes evaluate_expressions(FlatConfig& config, const std::function<int64_t()>& n_vocab,
                               ExpressionCache& expressions) {
  return CellNumbers(config, n_vocab, expressions).evaluate();
}

bool holds(const SourcedText& condition, const std::string& key, FlatConfig config,
           const std::function<int64_t()>& n_vocab, ExpressionCache& expressions) {
  const double value = CellNumbers(config, n_vocab, expressions).evaluate_beside(condition, key);
  if (value == 0 || value == 1) return value == 1;
  throw_config_error(condition, key,
                     "is a number, " + canonical(value) + ", and no condition, as N <= 1e6");
}

}  // namespace scalelaw
