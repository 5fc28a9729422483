// A cell's horizon, however it was asked for, in tokens.
#include <algorithm>
#include <cmath>
#include <utility>

#include "sweeps/language/cell_numbers.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr const char* kTokens = "horizon.tokens";
constexpr const char* kCount = "horizon.count";

}  // namespace

const std::vector<std::string>& horizon_forms() {
  static const std::vector<std::string> forms = {kTokens, "horizon.steps",
                                                 "horizon.tokens_per_param", "horizon.flops"};
  return forms;
}

NCount CellNumbers::n_counted(const std::string& key) const {
  const auto found = config_.find(key);
  if (found == config_.end()) return NCount::kNonEmbedding;
  if (const auto convention = n_count_from(found->second.text)) return *convention;
  throw_config_error(found->second, key, "must be non_embedding, non_embedding_plus_head or total");
}

CCount CellNumbers::c_counted(const std::string& key) const {
  const auto found = config_.find(key);
  if (found == config_.end()) return CCount::kExactCausal;
  if (const auto convention = c_count_from(found->second.text)) return *convention;
  throw_config_error(found->second, key,
                     "must be six_n, six_n_plus_head, exact_causal, exact_full or chinchilla");
}

double CellNumbers::asked_tokens(const std::string& form) {
  if (asked_tokens_) return *asked_tokens_;
  const Step step(*this, "D");
  const double asked = number_of_key(form);
  if (form != kTokens && !(asked > 0 && asked <= 1e30)) {
    throw_config_error(settled(form, config_.at(form)), form, "must be above 0, and 1e30 at most");
  }
  double tokens = asked;
  if (form == "horizon.steps") {
    if (asked != std::rint(asked)) {
      throw_config_error(settled(form, config_.at(form)), form, "must be a whole number of steps");
    }
    tokens = asked * batch_tokens();
  } else if (form == "horizon.tokens_per_param") {
    tokens = std::rint(asked * parameters(n_counted(kCount)));
  } else if (form == "horizon.flops") {
    tokens = asked / flops_per_token(c_counted(kCount));
  }
  asked_tokens_ = tokens;
  return tokens;
}

void CellNumbers::settle_horizon() {
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
    throw_config_error(count->second, kCount, "says nothing beside a horizon in tokens; remove it");
  }
  SourcedText value = config_.at(form);
  try {
    double tokens = asked_tokens(form);
    if (form == "horizon.flops") {
      notes_.budget = number_of_key(form);
      const double batch = batch_tokens();
      const double steps = std::rint(tokens / batch);
      if (steps < 1) {
        throw_config_error(value, form,
                           "no step meets it: the smallest run, one step of " + human(batch) +
                               " tokens, is " + human(*notes_.budget * batch / tokens) + " FLOPs");
      }
      tokens = batch * steps;
      asked_tokens_ = tokens;
    }
    const std::string asked_by = value.written_as == nullptr ? form : value.written_as;
    value.expression = asked_by + ": " + std::exchange(value.text, canonical(tokens));
    value.written_as = nullptr;
  } catch (const NoNumber& fault) {
    throw_config_error(value, form, fault.what());
  }
  config_.erase(form);
  config_.erase(kCount);
  config_.insert_or_assign(kTokens, std::move(value));
}

double CellNumbers::batch_tokens() {
  const std::string key = "train.batch_tokens";
  double batch = 0;
  try {
    batch = number_of_key(key);
  } catch (const NoNumber& fault) {
    throw_config_error(config_.at(key), key, fault.what());
  }
  if (batch >= 1 && batch == std::rint(batch)) return batch;
  throw_config_error(settled(key, config_.at(key)), key,
                     "must be a whole number of tokens, 1 or more");
}

double CellNumbers::tokens() {
  if (has_horizon_) {
    const double batch = batch_tokens();
    return std::ceil(asked_tokens(kTokens) / batch) * batch;
  }
  if (asked_tokens_) return *asked_tokens_;
  for (const std::string& form : horizon_forms()) {
    if (config_.contains(form)) return asked_tokens(form);
  }
  return asked_tokens(kTokens);
}

}  // namespace scalelaw
