// Where a pack goes on: its members' checkpoints, and what is said when they do not agree.
#include <algorithm>
#include <ranges>

#include "trainer/config_error.h"
#include "trainer/pack.h"
#include "trainer/safetensors.h"

namespace scalelaw {

// A pack goes on from one step: the newest that all members have a whole checkpoint of.
void Pack::resume() {
  std::vector<int64_t> common = checkpoint_steps(members_.front().folder());
  for (const ReplicaRun& member : members_) {
    const std::vector<int64_t> has = checkpoint_steps(member.folder());
    std::erase_if(common, [&](int64_t s) { return std::ranges::count(has, s) == 0; });
  }
  std::vector<std::string> pack;
  for (const ReplicaRun& member : members_) pack.push_back(member.content_hash());
  if (common.empty()) check_nothing_is_thrown_away(pack);
  std::vector<std::vector<RunEvent>> rejected(members_.size());
  const bool restored =
      std::ranges::any_of(common, [&](int64_t step) { return restore_at(step, rejected); });
  if (restored) {
    options_.note("resumed at step " + std::to_string(step_));
  } else {
    if (!common.empty()) options_.note("no checkpoint is whole: starting again from step 0");
    start_afresh();
  }
  for (std::size_t r = 0; r < members_.size(); ++r) {
    TrainingCursor cursor = members_[r].cursor;
    for (RunEvent& event : rejected[r]) cursor.events.push_back(std::move(event));
    if (restored && cursor.pack != pack) {
      cursor.events.push_back({"repacked", step_,
                               std::to_string(cursor.pack.size()) + " members before, " +
                                   std::to_string(pack.size()) + " now"});
    }
    cursor.pack = pack;
    members_[r].begin_attempt(std::move(cursor), options_.provenance);
  }
}

// Members that were trained as another pack, or alone, cannot be brought to one step; starting
// them all again would lose what they have. A pack killed while its first checkpoints were written
// has members with none, and loses nothing by starting again.
void Pack::check_nothing_is_thrown_away(const std::vector<std::string>& pack) const {
  for (const ReplicaRun& member : members_) {
    const std::vector<int64_t> steps = checkpoint_steps(member.folder());
    if (steps.empty()) continue;
    try {
      if (read_cursor(checkpoint_file(member.folder(), steps.front())).pack == pack) continue;
    } catch (const DamagedFile&) {
      continue;
    }
    throw ConfigError(member.folder().path.string() + ": is at step " +
                      std::to_string(steps.front()) +
                      " and shares no checkpointed step with the others of this pack; train it in "
                      "a command of its own");
  }
}

void Pack::start_afresh() {
  for (std::size_t r = 0; r < members_.size(); ++r) {
    arena_.initialise(static_cast<int64_t>(r), members_[r].config().seeds.init);
    optimizer_->set_updates_done(static_cast<int64_t>(r), 0);
    members_[r].cursor = {};
  }
  optimizer_->first_moment().zero_();
  optimizer_->second_moment().zero_();
}

bool Pack::restore_at(int64_t step, std::vector<std::vector<RunEvent>>& rejected) {
  for (std::size_t r = 0; r < members_.size(); ++r) {
    try {
      members_[r].cursor =
          read_checkpoint(checkpoint_file(members_[r].folder(), step), members_[r].content_hash(),
                          arena_, *optimizer_, static_cast<int64_t>(r));
    } catch (const DamagedFile& e) {
      options_.note(std::string(e.what()) + "; falling back to the checkpoint before, if any");
      rejected[r].push_back({"checkpoint_rejected", step, e.what()});
      return false;
    }
  }
  step_ = step;
  return true;
}

}  // namespace scalelaw
