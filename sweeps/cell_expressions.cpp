#include "sweeps/cell_expressions.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>

#include "models/model_shape.h"
#include "sweeps/expression.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr const char* kTokens = "horizon.tokens";
constexpr const char* kCount = "horizon.count";

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

// Of a name, without its place yet.
class NoNumber : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class CellNumbers {
 public:
  CellNumbers(FlatConfig& config, const std::function<int64_t()>& n_vocab)
      : config_(config), n_vocab_(n_vocab) {}

  void evaluate() {
    settle_horizon();
    std::vector<std::string> keys;
    for (const auto& [key, value] : config_) {
      if (is_expression(value)) keys.push_back(key);
    }
    for (const std::string& key : keys) config_.at(key) = settled(key, config_.at(key));
  }

 private:
  // Notes what is being worked out, so that a circle is seen and told.
  class Step {
   public:
    Step(CellNumbers& cell, const std::string& what) : path_(cell.path_) {
      const auto before = std::find(path_.begin(), path_.end(), what);
      if (before != path_.end()) {
        std::string circle;
        for (auto it = before; it != path_.end(); ++it) circle += *it + " needs ";
        cell.fail_in_circle(circle + what);
      }
      path_.push_back(what);
    }
    ~Step() { path_.pop_back(); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::vector<std::string>& path_;
  };

  [[noreturn]] void fail_in_circle(const std::string& circle) const {
    const std::string rule = "expressions go in a circle: " + circle;
    for (const std::string& key : path_) {
      const auto found = config_.find(key);
      if (found != config_.end()) throw_config_error(found->second, key, rule);
    }
    throw ConfigError(rule);
  }

  [[noreturn]] static void fail_at(const SourcedText& value, const std::string& key,
                                   std::size_t position, const std::string& what) {
    const std::string_view text = std::string_view(value.text).substr(1);
    throw_config_error(value, key, at_character(text, position) + ": " + what);
  }

  // Of FLOPs and the like: what was asked for, in tokens.
  void settle_horizon() {
    std::string form;
    for (const std::string& each : horizon_forms()) {
      const auto found = config_.find(each);
      if (found == config_.end()) continue;
      if (!form.empty()) {
        throw_config_error(found->second, each,
                           "stands beside " + form + "; a horizon is asked for in one way");
      }
      form = each;
    }
    const auto count = config_.find(kCount);
    if (form.empty() || form == kTokens) {
      if (count == config_.end()) return;
      throw_config_error(count->second, kCount,
                         "says nothing beside a horizon in tokens; remove it");
    }
    SourcedText value = config_.at(form);
    try {
      double tokens = asked_tokens(form);
      if (form == "horizon.flops") {
        const double batch = number_of_key("train.batch_tokens");
        tokens = batch * std::max(1.0, std::rint(tokens / batch));
      }
      value.expression = form + ": " + std::exchange(value.text, canonical(tokens));
    } catch (const NoNumber& fault) {
      throw_config_error(value, form, fault.what());
    }
    config_.erase(form);
    config_.erase(kCount);
    config_.insert_or_assign(kTokens, std::move(value));
  }

  // D: before it is rounded to steps.
  double asked_tokens(const std::string& form) {
    if (asked_tokens_) return *asked_tokens_;
    const Step step(*this, "D");
    const double asked = number_of_key(form);
    double tokens = asked;
    if (form == "horizon.steps") {
      tokens = asked * number_of_key("train.batch_tokens");
    } else if (form == "horizon.tokens_per_param") {
      tokens = std::rint(asked * parameters(counted(n_count_from, NCount::kNonEmbedding)));
    } else if (form == "horizon.flops") {
      tokens = asked / flops_per_token(counted(c_count_from, CCount::kExactCausal));
    }
    asked_tokens_ = tokens;
    return tokens;
  }

  template <typename Convention>
  Convention counted(std::optional<Convention> (*from)(std::string_view), Convention usual) const {
    const auto found = config_.find(kCount);
    if (found == config_.end()) return usual;
    if (const auto convention = from(found->second.text)) return *convention;
    throw_config_error(found->second, kCount,
                       std::is_same_v<Convention, NCount>
                           ? "must be non_embedding, non_embedding_plus_head or total"
                           : "must be six_n, six_n_plus_head, exact_causal, exact_full or "
                             "chinchilla");
  }

  SourcedText settled(const std::string& key, SourcedText value) {
    if (!is_expression(value)) return value;
    value.expression = std::exchange(value.text, canonical(number_of_key(key)));
    return value;
  }

  double number_of_key(const std::string& key) {
    if (const auto known = numbers_.find(key); known != numbers_.end()) return known->second;
    const auto written = config_.find(key);
    double number = 0;
    if (written != config_.end() && is_expression(written->second)) {
      const Step step(*this, key);
      number = evaluate(written->second, key);
    } else {
      const std::string text = written == config_.end() ? default_of(key) : written->second.text;
      const std::optional<double> read = parse_real(text);
      if (!read && written != config_.end()) {
        throw_config_error(written->second, key, "must be a number or an expression");
      }
      if (!read) throw NoNumber(key + " is no number");
      number = *read;
    }
    numbers_[key] = number;
    return number;
  }

  double evaluate(const SourcedText& value, const std::string& key) {
    try {
      return Expression(value.text.substr(1)).value([&](const Expression::Name& name) {
        try {
          return number_called(name.name);
        } catch (const NoNumber& fault) {
          throw ExpressionFault(fault.what(), name.position);
        }
      });
    } catch (const ExpressionFault& fault) {
      fail_at(value, key, fault.position(), fault.what());
    }
  }

  double number_called(const std::string& name) {
    if (const auto of = parameter_names().find(name); of != parameter_names().end()) {
      return parameters(of->second);
    }
    if (name == "D") return tokens();
    if (name == "C") return tokens() * flops_per_token(CCount::kExactCausal);
    if (name == "n_vocab") return static_cast<double>(n_vocab_());
    const std::string key = key_called(name);
    if (key == kTokens) return tokens();
    if (key.empty()) throw NoNumber(unknown(name));
    return number_of_key(key);
  }

  static std::string unknown(const std::string& name) {
    std::vector<std::string> names = {"D", "C", "n_vocab"};
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

  double tokens() {
    if (asked_tokens_) return *asked_tokens_;
    for (const std::string& form : horizon_forms()) {
      if (config_.contains(form)) return asked_tokens(form);
    }
    return asked_tokens(kTokens);
  }

  const ModelShape& shape() {
    if (shape_) return *shape_;
    const Step step(*this, "N");
    FlatConfig model;
    for (const auto& [key, value] : config_) {
      if (key.starts_with("model.")) model.emplace(key, settled(key, value));
    }
    shape_ = resolve_model(model);
    shape_->n_vocab = n_vocab_();
    return *shape_;
  }

  ModelCounts counts() {
    const std::optional<ModelCounts> known = count(shape());
    if (known) return *known;
    throw NoNumber("model.arch = " + shape().arch + " gives no formula for N and C");
  }

  double parameters(NCount convention) { return n_params(shape(), counts(), convention); }
  double flops_per_token(CCount convention) {
    return training_flops_per_token(shape(), counts(), convention);
  }

  FlatConfig& config_;
  const std::function<int64_t()>& n_vocab_;
  std::vector<std::string> path_;  // of what is being worked out
  std::map<std::string, double> numbers_;
  std::optional<ModelShape> shape_;
  std::optional<double> asked_tokens_;
};

}  // namespace

const std::vector<std::string>& horizon_forms() {
  static const std::vector<std::string> forms = {kTokens, "horizon.steps",
                                                 "horizon.tokens_per_param", "horizon.flops"};
  return forms;
}

void evaluate_expressions(FlatConfig& config, const std::function<int64_t()>& n_vocab) {
  CellNumbers(config, n_vocab).evaluate();
}

}  // namespace scalelaw
