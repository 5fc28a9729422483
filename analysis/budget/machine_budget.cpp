#include "analysis/budget/machine_budget.h"

#include <cmath>

#include "analysis/budget/plain_words.h"

namespace scalelaw {
namespace {

constexpr double kCrowded = 0.7;  // of memory: what is left may not hold the activations

std::string gigabytes(double bytes) {
  if (bytes < 1e9) return in_plain_words(bytes / 1e6) + " MB";
  return bytes < 1e12 ? in_plain_words(bytes / 1e9) + " GB" : in_plain_words(bytes / 1e12) + " TB";
}

std::string hours_in_words(double hours) {
  const bool every_digit = hours >= 10 || hours == std::rint(hours);
  return (every_digit ? in_whole_words(hours) : in_plain_words(hours)) +
         (hours == 1 ? " hour" : " hours");
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
      return hours_in_words(*question.device_hours) + " of " + device +
             (question.machines->count > 0
                  ? " on " + in_whole_words(question.machines->count) + " of them"
                  : "");
    }
    if (question.seconds) {
      return in_whole_words(question.machines->count) + " " + device + " for " +
             time_in_words(*question.seconds);
    }
  }
  return question.compute_flops ? flops_in_words(*question.compute_flops) : "";
}

std::string said_verb(const BudgetQuestion& question) {
  if (!question.machines) return "are";
  const bool one =
      question.device_hours ? *question.device_hours == 1 : question.machines->count == 1;
  return one ? "is" : "are";
}

MemoryCheck memory_check(double n, const Machines& machines) {
  const double needed = kTrainingBytesPerParameter * n;
  const double each = machines.device->memory_bytes;
  const double least = std::ceil(needed / each);
  const std::string state = "weights, gradients and Adam's moments of " + in_plain_words(n) +
                            " parameters take " + gigabytes(needed) + " (16 bytes each)";
  const std::string device(machines.device->name);
  if (machines.count == 0) {
    return {true, state + ": " + in_whole_words(least) + " " + device + " or more at a time"};
  }
  const double all = machines.count * each;
  const std::string there = in_whole_words(machines.count) + " " + device +
                            (machines.count == 1 ? " has " : " have ") + gigabytes(all);
  if (needed > all) {
    return {false, "does not fit: " + state + ", and " + there + "; it needs " +
                       in_whole_words(least) +
                       " of them at least, a smaller model, or "
                       "states kept elsewhere"};
  }
  return {true,
          state + "; " + there +
              (needed > kCrowded * all ? ", which leaves little for activations"
               : least > 1 ? ", so it is spread over " + in_whole_words(least) + " of them or more"
                           : "")};
}

}  // namespace scalelaw
