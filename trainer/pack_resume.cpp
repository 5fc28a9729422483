// Where a pack goes on: its members' checkpoints, and what is said when they do not agree.
#include "trainer/pack_resume.h"

#include <algorithm>
#include <ranges>

#include "trainer/config_error.h"
#include "trainer/pack.h"
#include "trainer/safetensors.h"

namespace scalelaw {

std::vector<int64_t> common_checkpoint_steps(const std::vector<RunFolder>& folders) {
  std::vector<int64_t> common = checkpoint_steps(folders.front());
  for (const RunFolder& folder : folders) {
    const std::vector<int64_t> has = checkpoint_steps(folder);
    std::erase_if(common, [&](int64_t s) { return std::ranges::count(has, s) == 0; });
  }
  return common;
}

// Of a pack killed while its first checkpoints were written: it loses nothing by starting again.
static bool is_first_checkpoint_of(const std::vector<std::string>& pack, const RunFolder& folder) {
  const std::vector<int64_t> steps = checkpoint_steps(folder);
  try {
    return steps.size() == 1 && read_cursor(checkpoint_file(folder, steps.front())).pack == pack;
  } catch (const DamagedFile&) {
    return false;
  } catch (const ForeignCheckpoint&) {
    return false;
  }
}

void check_nothing_is_thrown_away(const std::vector<RunIdentity>& identities) {
  std::vector<RunFolder> folders;
  std::vector<std::string> pack;
  for (const RunIdentity& identity : identities) {
    folders.push_back(identity.folder);
    pack.push_back(identity.content_hash);
  }
  if (!common_checkpoint_steps(folders).empty()) return;
  const auto has_none = [](const RunFolder& folder) { return checkpoint_steps(folder).empty(); };
  const bool within_the_first = std::ranges::any_of(folders, has_none);
  for (const RunFolder& folder : folders) {
    if (has_none(folder)) continue;
    if (within_the_first && is_first_checkpoint_of(pack, folder)) continue;
    throw ConfigError(folder.path.string() + ": is at step " +
                      std::to_string(checkpoint_steps(folder).front()) +
                      " and shares no checkpointed step with the others of this pack; train it in "
                      "a command of its own");
  }
}

// A pack goes on from one step: the newest that all members have a whole checkpoint of.
void Pack::resume() {
  std::vector<RunFolder> folders;
  std::vector<std::string> pack;
  for (const ReplicaRun& member : members_) {
    folders.push_back(member.folder());
    pack.push_back(member.content_hash());
  }
  const std::vector<int64_t> common = common_checkpoint_steps(folders);
  std::vector<std::vector<RunEvent>> rejected(members_.size());
  std::string foreign;
  const bool restored = std::ranges::any_of(
      common, [&](int64_t step) { return restore_at(step, rejected, foreign); });
  if (restored) {
    if (!foreign.empty()) options_.note(foreign + "; falling back to the checkpoint before");
    set_aside_rejected(rejected);
    options_.note("resumed at step " + std::to_string(step_));
  } else if (!foreign.empty()) {
    throw ConfigError(foreign +
                      "; move the folder's checkpoints away to begin at step 0, or, where another "
                      "program or configuration wrote it, train with that");
  } else {
    const bool any = std::ranges::any_of(
        folders, [](const RunFolder& folder) { return !checkpoint_steps(folder).empty(); });
    if (any) {
      options_.note(std::string(common.empty() ? "the members share no checkpointed step"
                                               : "no checkpoint is whole") +
                    ": starting again from step 0");
    }
    set_aside_rejected(rejected);
    start_afresh();
  }
  for (std::size_t r = 0; r < members_.size(); ++r) {
    TrainingCursor cursor = members_[r].cursor;
    for (RunEvent& event : rejected[r]) cursor.events.push_back(std::move(event));
    for (const std::string& refusal : refusals_) {
      cursor.events.push_back({"step_refused", cursor.step, refusal});
    }
    if (restored && cursor.pack != pack) {
      cursor.events.push_back({"repacked", step_,
                               std::to_string(cursor.pack.size()) + " members before, " +
                                   std::to_string(pack.size()) + " now"});
    }
    cursor.pack = pack;
    members_[r].begin_attempt(std::move(cursor), options_.provenance,
                              1.0 / static_cast<double>(members_.size()), options_.company);
  }
}

void Pack::set_aside_rejected(const std::vector<std::vector<RunEvent>>& rejected) const {
  for (std::size_t r = 0; r < members_.size(); ++r) {
    for (const RunEvent& event : rejected[r]) {
      members_[r].check_folder();
      set_aside(checkpoint_file(members_[r].folder(), event.step));
    }
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

bool Pack::restore_at(int64_t step, std::vector<std::vector<RunEvent>>& rejected,
                      std::string& foreign) {
  for (std::size_t r = 0; r < members_.size(); ++r) {
    try {
      members_[r].cursor =
          read_checkpoint(checkpoint_file(members_[r].folder(), step), members_[r].content_hash(),
                          arena_, *optimizer_, static_cast<int64_t>(r));
    } catch (const DamagedFile& e) {
      options_.note(std::string(e.what()) + "; falling back to the checkpoint before, if any");
      rejected[r].push_back({"checkpoint_rejected", step, e.what()});
      return false;
    } catch (const ForeignCheckpoint& e) {
      if (foreign.empty()) foreign = e.what();
      rejected[r].push_back({"checkpoint_rejected", step, e.what()});
      return false;
    }
  }
  step_ = step;
  return true;
}

}  // namespace scalelaw
