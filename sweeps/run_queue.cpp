#include "sweeps/run_queue.h"

#include <signal.h>

#include <algorithm>
#include <regex>
#include <string_view>
#include <utility>

#include "trainer/config_error.h"

namespace scalelaw {
namespace {

// Two failures are the same when they differ in numbers only: addresses, sizes, seeds, hashes.
std::string without_numbers(const std::string& reason) {
  static const std::regex kNumber(
      "0[xX][0-9a-fA-F]+"
      "|\\b(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]+\\b"  // a hash may begin with a letter
      "|[0-9]+");
  return std::regex_replace(reason, kNumber, "#");
}

}  // namespace

RunQueue::RunQueue(const std::vector<std::size_t>& order, const RunQueueOptions& options)
    : options_(options), waiting_(order.begin(), order.end()) {}

std::optional<std::size_t> RunQueue::next(std::size_t running) {
  if (!stopped_because_.empty()) return std::nullopt;
  if (waiting_.empty() && running > 0) return std::nullopt;
  std::deque<std::size_t>& from = waiting_.empty() ? alone_ : waiting_;
  if (from.empty()) return std::nullopt;
  const std::size_t cell = from.front();
  from.pop_front();
  return cell;
}

Verdict RunQueue::ended(std::size_t cell, const ProcessEnd& end, const std::string& reason,
                        bool held) {
  const bool exited = end.signal == 0;
  if (exited && end.exit_code == kExitComplete) {
    equal_failures_ = 0;
    return Verdict::kComplete;
  }
  if (exited && end.exit_code == kExitInterrupted) return Verdict::kInterrupted;
  if (exited && end.exit_code == kExitBadInput && held) {
    set_elsewhere(cell);
    return Verdict::kElsewhere;
  }
  note_failure(describe(end), reason);
  const bool crashed = !exited || end.exit_code != kExitBadInput;
  if (!crashed || !stopped_because_.empty() || ++crashes_[cell] > options_.retries) {
    return Verdict::kFailed;
  }
  if (end.signal == SIGKILL) {
    if (!repeated_alone_.insert(cell).second) return Verdict::kFailed;
    alone_.push_back(cell);
    return Verdict::kRetryAlone;
  }
  waiting_.push_back(cell);
  return Verdict::kRetry;
}

void RunQueue::note_failure(const std::string& how, const std::string& reason) {
  const std::string failure = how + ": " + without_numbers(reason);
  equal_failures_ = failure == last_failure_ ? equal_failures_ + 1 : 1;
  last_failure_ = failure;
  if (options_.stop_after > 0 && equal_failures_ >= options_.stop_after) {
    stop(std::to_string(equal_failures_) + " attempts in a row failed the same way (" + how + ": " +
         reason + "); nothing new was started");
  }
}

std::vector<std::size_t> RunQueue::take_elsewhere() {
  return std::exchange(elsewhere_, {});
}

void RunQueue::stop(const std::string& why) {
  if (stopped_because_.empty()) stopped_because_ = why;
}

std::string without_own_names(std::string reason, const PlannedCell& cell) {
  constexpr std::string_view kPlaceholder = "RUN";
  // The longer ones first: the folder's name holds the hash's beginning.
  for (const std::string& name :
       {cell.folder, cell.content_hash, cell.content_hash.substr(0, 12)}) {
    if (name.empty()) continue;
    for (std::size_t at = 0; (at = reason.find(name, at)) != std::string::npos;) {
      reason.replace(at, name.size(), kPlaceholder);
      at += kPlaceholder.size();
    }
  }
  return reason;
}

std::vector<std::size_t> start_order(const Plan& plan, std::vector<std::size_t> cells) {
  std::map<std::string, double> cheapest;  // arm -> cost
  for (const std::size_t index : cells) {
    const PlannedCell& cell = plan.cells[index];
    const auto [place, inserted] = cheapest.emplace(cell.places.front().arm, cost(cell));
    if (!inserted) place->second = std::min(place->second, cost(cell));
  }
  const auto is_first_rung = [&](const PlannedCell& cell) {
    return cost(cell) <= 1.05 * cheapest.at(cell.places.front().arm);
  };
  std::stable_sort(cells.begin(), cells.end(), [&](std::size_t a, std::size_t b) {
    const bool first_a = is_first_rung(plan.cells[a]), first_b = is_first_rung(plan.cells[b]);
    if (first_a != first_b) return first_a;
    return cost(plan.cells[a]) > cost(plan.cells[b]);
  });
  return cells;
}

}  // namespace scalelaw
