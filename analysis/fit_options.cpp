#include "analysis/fit_options.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <optional>
#include <thread>

#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// A set's name may hold a =.
std::map<std::string, int64_t> text_bytes_from(const FitArguments& a) {
  std::map<std::string, int64_t> all;
  for (const std::string& text : a.bytes) {
    const std::size_t equals = text.rfind('=');
    const std::optional<int64_t> bytes =
        equals == std::string::npos ? std::nullopt : parse_bytes(text.substr(equals + 1));
    if (!bytes || *bytes < 1) {
      throw ConfigError("--bytes " + text + ": is not SET=NUMBER, as books=1234567");
    }
    if (!all.emplace(text.substr(0, equals), *bytes).second) {
      throw ConfigError("--bytes " + text + ": of that set they are given twice");
    }
  }
  return all;
}

}  // namespace

void add_selection(CLI::App& verb, FitArguments& a) {
  verb.add_option("--n-count", a.n_count,
                  "what N counts: non_embedding, non_embedding_plus_head or total")
      ->capture_default_str();
  verb.add_option("--test-set", a.test_set,
                  "which test set's loss (default: the training text's own)");
  verb.add_option("--metric", a.metric, "nats_per_token, or bits_per_byte where tokenizers differ")
      ->capture_default_str();
  verb.add_option("--bytes", a.bytes,
                  "SET=NUMBER: bytes of text of a test set's whole split, for bits_per_byte of "
                  "runs whose records do not know them, or say otherwise")
      ->allow_extra_args(false);
}

void add_comparison_options(CLI::App& verb, FitArguments& a) {
  verb.add_option("--gain-at", a.gain_at,
                  "C1,C2: training compute of whole runs, FLOPs, at which to state how much the "
                  "other arm needs (default: ends and middle of what both cover)")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb.add_option("--equivalent-within", a.equivalent_within,
                  "DELTA: test whether slopes are equal within this much (two one-sided t tests; "
                  "state it before you see the runs)");
}

LawOptions options_from(const FitArguments& a) {
  LawOptions options;
  const std::optional<NCount> n_count = n_count_from(a.n_count);
  if (!n_count) {
    throw ConfigError("--n-count " + a.n_count +
                      ": not a convention; it is one of non_embedding, non_embedding_plus_head, "
                      "total");
  }
  options.selection.n_count = *n_count;
  if (a.by != "arm" && a.by != "arch") {
    throw ConfigError("--by " + a.by + ": runs are grouped by arm or by arch");
  }
  options.selection.by = a.by == "arch" ? ArmGrouping::kArchitecture : ArmGrouping::kArm;
  if (a.metric != "nats_per_token" && a.metric != "bits_per_byte") {
    throw ConfigError("--metric " + a.metric +
                      ": not a metric; it is nats_per_token or "
                      "bits_per_byte");
  }
  options.selection.metric =
      a.metric == "bits_per_byte" ? LossMetric::kBitsPerByte : LossMetric::kNatsPerToken;
  options.selection.test_set = a.test_set;
  options.selection.text_bytes = text_bytes_from(a);
  options.selection.own_tokens = a.tokens == "own";
  if (!a.tokens.empty() && !options.selection.own_tokens) {
    options.selection.train_tokens = parse_real(a.tokens);
    if (!options.selection.train_tokens || *options.selection.train_tokens <= 0) {
      throw ConfigError("--tokens " + a.tokens +
                        ": not a number of tokens such as 2.5M, and not own");
    }
  }
  for (const std::string& text : a.gain_at) {
    const std::optional<double> flops = parse_real(text);
    if (!flops || *flops <= 0) {
      throw ConfigError("--gain-at " + text + ": not a number of FLOPs such as 2e13");
    }
    options.gain_at.push_back(*flops);
  }
  if (!a.equivalent_within.empty()) {
    options.equivalent_within = parse_real(a.equivalent_within);
    if (!options.equivalent_within || *options.equivalent_within <= 0) {
      throw ConfigError("--equivalent-within " + a.equivalent_within +
                        ": not a difference of slopes above 0, such as 0.01");
    }
  }
  options.seed = a.seed;
  options.bootstrap_replicates = a.bootstrap;
  options.threads = a.threads > 0
                        ? a.threads
                        : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return options;
}

void warn(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) std::cerr << "warning: " << escaped(warning) << '\n';
}

}  // namespace scalelaw
