// What `scalelaw budget` was asked, out of free words and options: "100 A100s for a month",
// "10 B parameters: tokens", "10 billion to 100 billion: gain".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/budget/devices.h"

namespace scalelaw {

struct Machines {
  const TrainingDevice* device = nullptr;
  double count = 0;
};

// Only what was said; everything else is nullopt.
struct BudgetQuestion {
  std::optional<Machines> machines;
  std::optional<double> seconds;        // of the machines
  std::optional<double> device_hours;   // in place of count and seconds: "64,000 A100 hours"
  std::optional<double> compute_flops;  // 6 N D
  std::optional<double> n, n_other;     // parameters; and those to compare them with
  std::optional<double> d;              // training tokens
  std::optional<double> d_inference;    // tokens read and written over the model's life
  std::optional<double> d_unique;       // tokens that there are, to be read again and again
  std::optional<double> loss;           // to be reached, nats per token
  std::string said;                     // the words, for titles
};

enum class BudgetTopic {
  kPlan,       // machines or compute: N and D
  kTokens,     // N: D
  kSize,       // D: N
  kRun,        // N and D: loss
  kGain,       // N and another N
  kLoss,       // loss: cheapest N and D
  kInference,  // and over the model's life
  kRepeated,   // unique tokens
};

// ConfigError: a word that is not understood (with what is, and an example), a number of nothing,
// out of range, or given twice.
BudgetQuestion budget_question(const std::vector<std::string>& words);
// ConfigError: nothing that could be answered, with what is missing.
BudgetTopic topic_of(const BudgetQuestion& question);

// What "a month" and "a year" are.
inline constexpr double kDaysInMonth = 30, kDaysInYear = 365;

}  // namespace scalelaw
