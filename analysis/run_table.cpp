#include "analysis/run_table.h"

#include <algorithm>
#include <cmath>

#include "analysis/block_error.h"

namespace scalelaw {

std::string_view name(LossMetric metric) {
  return metric == LossMetric::kNatsPerToken ? "nats_per_token" : "bits_per_byte";
}

std::string_view unit(LossMetric metric) {
  return metric == LossMetric::kNatsPerToken ? "nats per token" : "bits per byte";
}

std::string_view in_words(NCount convention) {
  switch (convention) {
    case NCount::kNonEmbedding:
      return "parameters without embeddings and head";
    case NCount::kNonEmbeddingPlusHead:
      return "parameters without embeddings, with the head";
    case NCount::kTotal:
      break;
  }
  return "all parameters";
}

std::string_view short_words(NCount convention) {
  switch (convention) {
    case NCount::kNonEmbedding:
      return "N without head";
    case NCount::kNonEmbeddingPlusHead:
      return "N with head";
    case NCount::kTotal:
      break;
  }
  return "N, all parameters";
}

double RunRow::n(NCount convention) const {
  if (tabled) {
    const auto found = tabled->n.find(convention);
    return found == tabled->n.end() ? 0 : found->second;
  }
  return n_params(record.shape, record.counts, convention);
}

double RunRow::d_slack() const {
  return std::max(static_cast<double>(record.batch_tokens), tabled ? 0.01 * d_tokens() : 0.0);
}

double RunRow::training_flops() const {
  if (tabled) return tabled->flops.value_or(6 * tabled->n.begin()->second * d_tokens());
  return d_tokens() * training_flops_per_token(record.shape, record.counts, CCount::kExactCausal);
}

double RunRow::embedding_share() const {
  const ParameterCounts& p = record.counts.parameters;
  return static_cast<double>(p.token_embedding + p.position_embedding) /
         static_cast<double>(p.total());
}

double RunRow::head_share() const {
  const double with_head = n(NCount::kNonEmbeddingPlusHead);
  return with_head > 0 ? 1 - n(NCount::kNonEmbedding) / with_head : 0;
}

double RunRow::loss(const std::string& test_set, LossMetric metric) const {
  const TestResult& result = record.test.at(test_set);
  return metric == LossMetric::kNatsPerToken ? result.loss_nats : result.bits_per_byte;
}

double RunRow::loss_standard_error(const std::string& test_set, LossMetric metric) const {
  if (tabled) return 0;
  const TestResult& result = record.test.at(test_set);
  const std::vector<double> windows(window_losses.begin(), window_losses.end());
  const std::optional<double> variance = block_variance_of_mean(windows);
  const double nats = variance ? std::sqrt(*variance) : result.standard_error_nats;
  return nats * loss(test_set, metric) / result.loss_nats;
}

bool same_horizon(const RunRow& a, const RunRow& b) {
  return std::abs(a.d_tokens() - b.d_tokens()) <= a.d_slack() + b.d_slack();
}

std::vector<std::string> RunTable::arms() const {
  std::vector<std::string> names;
  for (const RunRow& row : rows) {
    if (std::find(names.begin(), names.end(), row.arm) == names.end()) names.push_back(row.arm);
  }
  return names;
}

}  // namespace scalelaw
