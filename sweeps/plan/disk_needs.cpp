#include "sweeps/plan/disk_needs.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <numeric>
#include <system_error>
#include <utility>

#include "trainer/bytes_text.h"
#include "trainer/config_error.h"
#include "trainer/number.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr double kBlock = 4096;
constexpr double kHeaderOfATensor = 3 * 140;  // thrice in the header of a checkpoint
constexpr double kTensorsALayer = 12, kOtherTensors = 6;
constexpr double kBytesALine = 250;    // of metrics; kept twice: as written and merged
constexpr double kBytesOfNoise = 150;  // of a line with its scale
constexpr double kSmallFiles = 11;     // of a run and, in sweeps/, its configuration and log
constexpr double kFilesOfARun = 14;    // all of them, folders too
constexpr double kCheckpointsOfARun = 3;

double checkpoints_there(const Plan& plan, const PlannedCell& cell) {
  if (cell.is_provisional()) return 0;  // its folder is another run's
  double bytes = 0;
  std::error_code gone;
  fs::directory_iterator it(RunFolder{run_folder(plan, cell)}.checkpoints(), gone), end;
  for (; !gone && it != end; it.increment(gone)) {
    std::error_code ignored;
    const auto size = it->file_size(ignored);
    if (!ignored) bytes += static_cast<double>(size);
  }
  return bytes;
}

// Of what a run's checkpoints take while it trains, the part that does not stay.
double share_to_go(const PlannedCell& cell) {
  const double one = checkpoint_bytes(cell);
  return one > 0 ? 1 - kept_bytes(cell) / (kCheckpointsOfARun * one) : 0;
}

double sum_of_largest(std::vector<double> each, std::size_t most) {
  std::ranges::sort(each, std::greater<>());
  each.resize(std::min(each.size(), most));
  return std::accumulate(each.begin(), each.end(), 0.0);
}

// What the packs of a stage take while as many as there are processes train, the largest.
struct AtOnce {
  double bytes = 0, files = 0;
  double bytes_to_go = 0, files_to_go = 0;  // of them, what does not stay
};

AtOnce at_once_of(const Plan& plan, const std::vector<PlannedPack>& packs, std::size_t processes) {
  std::vector<double> bytes_at_once, bytes_to_go, files_at_once, runs_at_once;
  for (const PlannedPack& pack : packs) {
    double bytes = 0, to_go = 0, files = 0;
    for (const std::size_t cell : pack) {
      const double to_train = bytes_to_train(plan, plan.cells[cell]);
      bytes += to_train;
      to_go += to_train * share_to_go(plan.cells[cell]);
      files += files_to_train(plan, plan.cells[cell]);
    }
    bytes_at_once.push_back(bytes);
    bytes_to_go.push_back(to_go);
    files_at_once.push_back(files);
    runs_at_once.push_back(static_cast<double>(pack.size()));
  }
  return {sum_of_largest(std::move(bytes_at_once), processes),
          sum_of_largest(std::move(files_at_once), processes),
          sum_of_largest(std::move(bytes_to_go), processes),
          (kCheckpointsOfARun - 1) * sum_of_largest(std::move(runs_at_once), processes)};
}

// The cells that may start, then, stage by stage, those that wait.
std::vector<std::vector<std::size_t>> cells_in_turn(const Plan& plan,
                                                    const std::vector<CellStatus>& statuses) {
  std::vector<std::vector<std::size_t>> turns(1 + std::size(kStages));
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (!is_to_come(statuses[i])) continue;
    const std::size_t stage = static_cast<std::size_t>(plan.cells[i].stage());
    turns[may_start(statuses[i]) ? 0 : 1 + stage].push_back(i);
  }
  return turns;
}

std::string free_text(const DiskSpace& space) {
  return bytes_text(space.bytes) + (space.files ? ", " + human(*space.files) + " files" : "") +
         " (a quota is not seen)";
}

}  // namespace

double checkpoint_bytes(const PlannedCell& cell) {
  const std::optional<ModelCounts> counts = count(cell.shape);
  if (!counts) return 0;
  const double tensors = kTensorsALayer * static_cast<double>(cell.shape.n_layer) + kOtherTensors;
  return 12 * static_cast<double>(counts->parameters.total()) + kHeaderOfATensor * tensors + kBlock;
}

double kept_bytes(const PlannedCell& cell) {
  switch (cell.config.how.keep) {
    case KeptCheckpoint::kNone:
      return 0;
    case KeptCheckpoint::kWeights:
      return checkpoint_bytes(cell) / 3;
    case KeptCheckpoint::kWhole:
      break;
  }
  return checkpoint_bytes(cell);
}

double bytes_of_complete(const PlannedCell& cell) {
  const RunConfig& config = cell.config;
  int64_t windows = 0;
  for (const auto& [set, tokens] : test_tokens(config)) windows += tokens / config.model.n_ctx;
  const auto steps = static_cast<double>(std::max<int64_t>(1, cell.steps));
  const double every = config.how.log_every > 0 ? static_cast<double>(config.how.log_every)
                                                : std::max(1.0, std::floor(steps / 400));
  const double lines = steps / every + config.evaluate.points_per_decade * std::log10(steps);
  const double a_line = kBytesALine + (config.evaluate.noise_scale_every > 0 ? kBytesOfNoise : 0);
  return kept_bytes(cell) + 4.0 * static_cast<double>(windows) + 2 * a_line * lines +
         kSmallFiles * kBlock;
}

double bytes_to_train(const Plan& plan, const PlannedCell& cell) {
  const double one = checkpoint_bytes(cell);
  return std::max(one, kCheckpointsOfARun * one - checkpoints_there(plan, cell));
}

double files_to_train(const Plan& plan, const PlannedCell& cell) {
  std::error_code none;
  const bool has_begun =
      !cell.is_provisional() && fs::exists(RunFolder{run_folder(plan, cell)}.config(), none);
  return has_begun ? kFilesOfAResumption : kFilesOfAnAttempt;
}

DiskNeeds disk_needs(const Plan& plan, const std::vector<CellStatus>& statuses) {
  DiskNeeds needs;
  const std::size_t processes = plan.options.workers.processes();
  bool is_next = true;
  for (const std::vector<std::size_t>& cells : cells_in_turn(plan, statuses)) {
    for (const std::size_t cell : cells) {
      needs.bytes_to_stay +=
          bytes_of_complete(plan.cells[cell]) - checkpoints_there(plan, plan.cells[cell]);
      needs.files_to_stay += kFilesOfARun;
    }
    const AtOnce at_once = at_once_of(plan, pack_cells(plan, cells), processes);
    if (is_next) {
      needs.bytes_at_once = at_once.bytes;
      needs.files_at_once = at_once.files;
    }
    is_next = false;
    // Runs that go on have checkpoints there, which are let go only after one more is written.
    needs.bytes_at_peak = std::max({needs.bytes_at_peak, at_once.bytes,
                                    std::max(0.0, needs.bytes_to_stay) + at_once.bytes_to_go});
    needs.files_at_peak = std::max(needs.files_at_peak, needs.files_to_stay + at_once.files_to_go);
  }
  needs.bytes_to_stay = std::max(0.0, needs.bytes_to_stay);
  return needs;
}

std::string describe(const DiskNeeds& needs, const std::optional<DiskSpace>& space) {
  return bytes_text(needs.bytes_at_peak) + " at most, " + bytes_text(needs.bytes_to_stay) +
         " of them to stay, in " + human(needs.files_at_peak) +
         " files; free: " + (space ? free_text(*space) : "not known");
}

std::string disk_warning(const DiskNeeds& needs, const std::optional<DiskSpace>& space) {
  if (!space) return "";
  const bool too_many = space->files && *space->files < needs.files_at_peak;
  if (space->bytes >= needs.bytes_at_peak && !too_many) return "";
  return "the disk of the store will be full before the sweep has ended, which then pauses: it "
         "takes " +
         describe(needs, space);
}

void check_disk(const DiskNeeds& needs, const std::optional<DiskSpace>& space) {
  if (!space || needs.files_to_stay == 0) return;
  const bool takes_files = !space->files || *space->files >= needs.files_at_once;
  const bool takes_bytes = space->bytes >= needs.bytes_at_once;
  if (takes_files && takes_bytes) return;
  std::string short_of = takes_bytes ? "" : bytes_text(needs.bytes_at_once) + " of checkpoints";
  if (!takes_files) {
    short_of += (takes_bytes ? "" : " and ") + human(needs.files_at_once) + " files";
  }
  throw ConfigError("what runs at once takes " + short_of +
                    ", and the disk of the store has free: " + free_text(*space) +
                    "; make room, give another --runs, or fewer --jobs (--replicas)");
}

}  // namespace scalelaw
