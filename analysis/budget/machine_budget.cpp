#include "analysis/budget/machine_budget.h"

#include <cmath>

#include "analysis/budget/plain_words.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kCrowded = 0.7;  // of memory: what is left may not hold the activations

std::string gigabytes(double bytes) {
  return bytes < 1e12 ? in_plain_words(bytes / 1e9) + " GB" : in_plain_words(bytes / 1e12) + " TB";
}

std::string whole(double count) {
  std::string digits = fixed(count, 0);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

}  // namespace

Utilisation utilisation_of(const BudgetOptions& options) {
  if (options.utilisation) {
    return {*options.utilisation, *options.utilisation, *options.utilisation, true};
  }
  const UtilisationRange& seen = seen_utilisation();
  return {seen.low, seen.middle, seen.high, false};
}

std::optional<double> flops_of(const BudgetQuestion& question, double utilisation) {
  if (question.compute_flops) return question.compute_flops;
  if (!question.machines || !question.seconds) return std::nullopt;
  const double hours =
      question.device_hours.value_or(question.machines->count * *question.seconds / 3600);
  return hours * 3600 * question.machines->device->peak_flops_per_second * utilisation;
}

double seconds_for(double flops, const Machines& machines, double utilisation) {
  return flops / (machines.count * machines.device->peak_flops_per_second * utilisation);
}

std::string said_in_words(const BudgetQuestion& question) {
  if (question.machines) {
    const std::string device(question.machines->device->name);
    if (question.device_hours) {
      return whole(*question.device_hours) + " hours of " + device +
             (question.machines->count > 0 ? " on " + whole(question.machines->count) + " of them"
                                           : "");
    }
    if (question.seconds) {
      return whole(question.machines->count) + " " + device + " for " +
             time_in_words(*question.seconds);
    }
  }
  return question.compute_flops ? flops_in_words(*question.compute_flops) : "";
}

MemoryCheck memory_check(double n, const Machines& machines) {
  const double needed = kTrainingBytesPerParameter * n;
  const double each = machines.device->memory_bytes;
  const double least = std::ceil(needed / each);
  const std::string state = "weights, gradients and Adam's moments of " + in_plain_words(n) +
                            " parameters take " + gigabytes(needed) + " (16 bytes each)";
  const std::string device(machines.device->name);
  if (machines.count == 0) {
    return {true, state + ": " + whole(least) + " " + device + " or more at a time"};
  }
  const double all = machines.count * each;
  const std::string there = whole(machines.count) + " " + device +
                            (machines.count == 1 ? " has " : " have ") + gigabytes(all);
  if (needed > all) {
    return {false, "does not fit: " + state + ", and " + there + "; it needs " + whole(least) +
                       " of them at least, a smaller model, or "
                       "states kept elsewhere"};
  }
  return {true, state + "; " + there +
                    (needed > kCrowded * all ? ", which leaves little for activations"
                     : least > 1 ? ", so it is spread over " + whole(least) + " of them or more"
                                 : "")};
}

}  // namespace scalelaw
