#include "sweeps/launch/room.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "sweeps/plan/disk_needs.h"
#include "sweeps/plan/reports.h"
#include "trainer/bytes_text.h"
#include "trainer/clock.h"
#include "trainer/machine_memory.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kSecondsBetweenLooks = 2;
constexpr double kSmallFiles = 64 << 10;   // that a run writes beside a checkpoint
constexpr double kFilesOfACheckpoint = 2;  // a draft and what makes way for it

}  // namespace

std::vector<std::string> check_room(const Plan& plan, const std::vector<CellStatus>& statuses) {
  const DiskNeeds needs = disk_needs(plan, statuses);
  const std::optional<DiskSpace> space = space_left(plan.options.runs);
  check_disk(needs, space);
  std::vector<std::string> warnings;
  if (std::string text = disk_warning(needs, space); !text.empty()) {
    warnings.push_back(std::move(text));
  }
  int64_t too_large = 0;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (!plan.cells[i].fits && !ended(statuses[i].state)) ++too_large;
  }
  if (too_large > 0) {
    warnings.push_back(counted(too_large, "run") +
                       " will be refused for want of memory; plan marks them with !, and fewer "
                       "--jobs leave each more");
  }
  return warnings;
}

std::string Room::why_pause(const std::vector<CellInProgress>& running) {
  if (running.empty() || monotonic_seconds() - asked_at_ < kSecondsBetweenLooks) return "";
  asked_at_ = monotonic_seconds();
  return why_no_disk(running, {});
}

std::string Room::why_no_disk(const std::vector<CellInProgress>& running,
                              const PlannedPack& next) const {
  const std::optional<DiskSpace> space = space_left(plan_.options.runs);
  if (!space) return "";
  double needed = 0;
  double files = kFilesOfACheckpoint * static_cast<double>(running.size());
  for (const CellInProgress& each : running) {
    needed += checkpoint_bytes(plan_.cells[each.cell]) + kSmallFiles;
  }
  for (const std::size_t cell : next) {
    needed += bytes_to_train(plan_, plan_.cells[cell]) + kSmallFiles;
    files += files_to_train(plan_, plan_.cells[cell]);
  }
  if (space->files && *space->files < files) {
    return "the disk of the store takes " + human(*space->files) +
           " more files, and the next checkpoints need " + human(files);
  }
  if (space->bytes >= needed) return "";
  return "the disk of the store has " + bytes_text(space->bytes) +
         " free, and the next checkpoints need " + bytes_text(needed);
}

std::string Room::why_no_memory(const PlannedPack& next) const {
  const std::optional<double> available = available_memory_bytes();
  if (plan_.options.workers.device != DeviceKind::kCpu || !available) return "";
  double needed = 0;
  for (const std::size_t cell : next) needed += plan_.cells[cell].memory_bytes.value_or(0);
  if (*available >= needed) return "";
  return bytes_text(*available) +
         " of memory are available, and what is to start next needs about " + bytes_text(needed);
}

}  // namespace scalelaw
