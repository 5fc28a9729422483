#include "sweeps/launch/run_queue.h"

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

RunQueue::RunQueue(const std::vector<PlannedPack>& order, const RunQueueOptions& options)
    : options_(options), waiting_(order.begin(), order.end()) {}

std::optional<PlannedPack> RunQueue::next(std::size_t running, const MayStart& may_start) {
  if (!stopped_because_.empty()) return std::nullopt;
  if (running == 0 && alone_.empty()) alone_first_ = false;
  if (must_be_alone_now()) alone_first_ = true;
  const auto take_first = [&](std::deque<PlannedPack>& packs) -> std::optional<PlannedPack> {
    const auto found = std::ranges::find_if(packs, may_start);
    if (found == packs.end()) return std::nullopt;
    PlannedPack pack = std::move(*found);
    last_was_alone_ = &packs == &alone_;
    place_of_last_ = found - packs.begin();
    packs.erase(found);
    return pack;
  };
  std::optional<PlannedPack> pack;
  if (!alone_first_) pack = take_first(waiting_);
  if (pack || running > 0) return pack;
  pack = take_first(alone_);
  if (pack) alone_first_ = true;
  return pack || !alone_first_ ? pack : take_first(waiting_);
}

void RunQueue::put_back(PlannedPack pack) {
  std::deque<PlannedPack>& packs = last_was_alone_ ? alone_ : waiting_;
  packs.insert(packs.begin() + std::min(place_of_last_, std::ssize(packs)), std::move(pack));
}

void RunQueue::remove(const PlannedPack& cells) {
  for (std::deque<PlannedPack>* packs : {&waiting_, &alone_}) {
    for (PlannedPack& pack : *packs) {
      std::erase_if(
          pack, [&](std::size_t cell) { return std::ranges::find(cells, cell) != cells.end(); });
    }
    std::erase_if(*packs, [](const PlannedPack& pack) { return pack.empty(); });
  }
}

Verdict RunQueue::ended(const PlannedPack& left, const ProcessEnd& end, const std::string& reason,
                        bool others_have_some) {
  const bool exited = end.signal == 0;
  const bool was_stopped = exited && end.exit_code == kExitInterrupted;
  const bool was_refused = exited && end.exit_code == kExitBadInput;
  if (was_stopped && (!others_have_some || !stopped_because_.empty())) return Verdict::kInterrupted;
  if ((was_stopped || was_refused) && others_have_some && may_ask_again(left)) {
    if (!left.empty()) waiting_.push_back(left);
    return Verdict::kElsewhere;
  }
  if (was_stopped) return Verdict::kInterrupted;
  if (left.empty()) return Verdict::kComplete;
  // A pack's failure is that of one of its runs, which is counted once it is alone.
  if (left.size() == 1) note_failure(left.front(), describe(end), reason);
  if (!stopped_because_.empty()) return left.size() == 1 ? Verdict::kFailed : Verdict::kLeft;
  const bool crashed = !exited || end.exit_code != kExitBadInput;
  if (crashed && count_crash(left) <= options_.retries) {
    if (end.signal != SIGKILL) {
      retry(left);
      return Verdict::kRetry;
    }
    if (!was_repeated_alone(left.front())) {
      repeated_alone_.insert(left.begin(), left.end());
      alone_.push_back(left);
      return Verdict::kRetryAlone;
    }
  }
  if (left.size() == 1) return Verdict::kFailed;
  halve(left, end.signal == SIGKILL ? alone_ : waiting_);
  return Verdict::kHalved;
}

Verdict RunQueue::ran_out_of_memory(const PlannedPack& left, bool can_be_narrowed,
                                    const std::string& reason) {
  const bool is_alone = left.size() == 1;
  if (is_alone && !can_be_narrowed) note_failure(left.front(), "out of memory", reason);
  if (!stopped_because_.empty()) return is_alone ? Verdict::kFailed : Verdict::kLeft;
  if (is_alone && !can_be_narrowed) return Verdict::kFailed;
  if (!is_alone) {
    halve(left, waiting_);
    return Verdict::kHalved;
  }
  waiting_.push_front(left);
  return Verdict::kNarrowed;
}

Verdict RunQueue::repacked(const PlannedPack& left) {
  if (left.empty()) return Verdict::kComplete;
  if (!stopped_because_.empty()) return Verdict::kInterrupted;
  waiting_.push_front(left);
  return Verdict::kRepacked;
}

// A pack at once: its fault is found before its neighbours are far. A run behind as many others as
// may fail like it: a fault of all shows before one is tried again, and one that passes is taken
// off the count before others have come to it.
void RunQueue::retry(const PlannedPack& pack) {
  const auto ahead = static_cast<std::size_t>(options_.stop_after);
  const bool at_the_end = ahead == 0 || ahead >= waiting_.size();
  const std::size_t place = pack.size() > 1 ? 0 : at_the_end ? waiting_.size() : ahead;
  waiting_.insert(waiting_.begin() + static_cast<std::ptrdiff_t>(place), pack);
}

bool RunQueue::must_be_alone_now() const {
  const auto is_about_to_stop = [&](const PlannedPack& pack) {
    return std::ranges::any_of(failing_, [&](const auto& failure) {
      const std::set<std::size_t>& cells = failure.second;
      return cells.contains(pack.front()) &&
             cells.size() + 1 >= static_cast<std::size_t>(options_.stop_after);
    });
  };
  return options_.stop_after > 0 && std::ranges::any_of(alone_, is_about_to_stop);
}

int RunQueue::count_crash(const PlannedPack& pack) {
  int most = 0;
  for (const std::size_t cell : pack) most = std::max(most, ++crashes_[cell]);
  return most;
}

bool RunQueue::may_ask_again(const PlannedPack& left) {
  constexpr int kTimes = 8;
  return left.empty() || ++asked_again_[left.front()] <= kTimes;
}

void RunQueue::halve(const PlannedPack& pack, std::deque<PlannedPack>& into) {
  const auto middle = pack.begin() + static_cast<std::ptrdiff_t>((pack.size() + 1) / 2);
  into.emplace_front(middle, pack.end());
  into.emplace_front(pack.begin(), middle);
}

std::size_t RunQueue::waiting() const {
  std::size_t cells = 0;
  for (const PlannedPack& pack : waiting_) cells += pack.size();
  for (const PlannedPack& pack : alone_) cells += pack.size();
  return cells;
}

void RunQueue::note_failure(std::size_t cell, const std::string& how, const std::string& reason) {
  std::set<std::size_t>& cells = failing_[how + ": " + without_numbers(reason)];
  cells.insert(cell);
  if (options_.stop_after > 0 && cells.size() >= static_cast<std::size_t>(options_.stop_after)) {
    stop(std::to_string(cells.size()) + (cells.size() == 1 ? " run" : " runs") +
         " failed the same way (" + how + ": " + reason + "); nothing new was started");
  }
}

void RunQueue::no_longer_failing(const PlannedPack& cells) {
  for (const std::size_t cell : cells) {
    for (auto& [failure, failed] : failing_) failed.erase(cell);
  }
  std::erase_if(failing_, [](const auto& failure) { return failure.second.empty(); });
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

}  // namespace scalelaw
