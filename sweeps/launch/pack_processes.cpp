#include "sweeps/launch/pack_processes.h"

#include <signal.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>

#include "sweeps/status/cell_limits.h"
#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/folder_lock.h"
#include "trainer/program_exit.h"
#include "trainer/run_lease.h"

namespace scalelaw {
namespace {

// From the kernel's kill until its process has gone: gigabytes are given back meanwhile.
constexpr double kSecondsToDie = 2;

bool was_killed_for_memory(const PackProcess& process, const ProcessEnd& end,
                           const KillCount& now) {
  if (end.signal != SIGKILL || process.had_company || !process.kills_before.kills) return false;
  return now.kills.value_or(0) > *process.kills_before.kills;
}

std::size_t least_used(const std::vector<int64_t>& processes_by_gpu) {
  return static_cast<std::size_t>(std::ranges::min_element(processes_by_gpu) -
                                  processes_by_gpu.begin());
}

// The line since the process was started that says that another has its folder; "" without one.
std::string refusal_of_another(const PackProcess& process) {
  constexpr int kMostLines = 10'000;
  std::ifstream log(process.log);
  log.seekg(static_cast<std::streamoff>(process.log_begins));
  std::string line;
  for (int lines = 0; lines < kMostLines && std::getline(log, line); ++lines) {
    if (is_of_another_process(line)) return shown_line(line);
  }
  return "";
}

}  // namespace

void PackProcesses::start(const PlannedPack& pack, const std::vector<CellStatus>& statuses,
                          std::size_t to_come) {
  const Workers& workers = plan_.options.workers;
  PackProcess process;
  process.log = folder_.log(plan_.cells[pack.front()].folder);
  std::error_code no_log;
  process.log_begins = std::filesystem::file_size(process.log, no_log);
  if (no_log) process.log_begins = 0;
  process.gpu = least_used(processes_by_gpu());
  process.started_at = monotonic_seconds();
  LocalJob job{{trainer_.string(), "train"}, process.log};
  const SweepLimits limits = read_limits(folder_);
  CellLimits all;
  for (const std::size_t index : pack) {
    const PlannedCell& cell = plan_.cells[index];
    const std::filesystem::path config = folder_.cell_config(cell.content_hash);
    all.narrow(limits_of(limits, cell));
    write_atomically(config, to_yaml(cell.config));
    job.command.push_back(config.string());
    process.cells.push_back({index, statuses[index].step});
  }
  const std::string device = workers.device == DeviceKind::kGpu ? "cuda" : "cpu";
  const Company company = company_of_next(to_come);
  const std::vector<std::string> options = {"--runs",          plan_.options.runs.string(),
                                            "--data",          plan_.options.data.string(),
                                            "--device",        device,
                                            "--threads",       "1",
                                            "--share-memory",  std::to_string(workers.jobs),
                                            "--share-gpu",     std::to_string(company.on_gpu),
                                            "--share-machine", std::to_string(company.on_machine)};
  job.command.insert(job.command.end(), options.begin(), options.end());
  if (const int64_t most = all.most_tokens_at_once; most > 0) {
    job.command.insert(job.command.end(), {"--most-at-once", std::to_string(most)});
  }
  const std::string& gpu = workers.gpus[process.gpu];
  if (!gpu.empty()) job.environment = {"CUDA_VISIBLE_DEVICES=" + gpu};
  process.kills_before = process.kills_lately = {kills_(), monotonic_seconds()};
  process.had_company = !processes_.empty();
  const pid_t pid = executor_.start(job);
  for (auto& [other, beside] : processes_) beside.had_company = true;
  processes_[pid] = std::move(process);
}

Company PackProcesses::company_of_next(std::size_t to_come) const {
  const auto on_machine = static_cast<int64_t>(processes_.size() + 1 + to_come);
  if (plan_.options.workers.device == DeviceKind::kCpu) return {.on_machine = on_machine};
  std::vector<int64_t> processes = processes_by_gpu();
  const std::size_t gpu = least_used(processes);
  ++processes[gpu];
  for (std::size_t i = 0; i < to_come; ++i) ++processes[least_used(processes)];
  return {.on_gpu = processes[gpu], .on_machine = on_machine};
}

void PackProcesses::signal_all(int signal) const {
  for (const auto& [pid, process] : processes_) {
    if (signal == SIGKILL || process.asked_to_end == EndAsked::kNo) kill(pid, signal);
  }
}

void PackProcesses::stop_overdue(double seconds) {
  constexpr double kSecondsToEnd = 120;
  for (auto& [pid, process] : processes_) {
    const double late = monotonic_seconds() - process.started_at - seconds;
    if (late > kSecondsToEnd) kill(pid, SIGKILL);
    if (late < 0 || process.asked_to_end != EndAsked::kNo) continue;
    process.asked_to_end = EndAsked::kForTime;
    kill(pid, SIGTERM);
  }
}

void PackProcesses::stop_to_repack(pid_t process) {
  processes_.at(process).asked_to_end = EndAsked::kToRepack;
  kill(process, SIGTERM);
}

PackProcesses::Event PackProcesses::wait(double seconds) {
  const LocalExecutor::Event seen = executor_.wait(seconds);
  Event event{std::nullopt, seen.end, seen.stop_signal};
  const KillCount now{kills_(), monotonic_seconds()};
  if (const auto found = processes_.find(seen.ended); found != processes_.end()) {
    event.ended = std::move(found->second);
    processes_.erase(found);
    event.ended->killed_for_memory = was_killed_for_memory(*event.ended, event.end, now);
  }
  for (auto& [pid, process] : processes_) {
    if (now.at - process.kills_lately.at < kSecondsToDie) continue;
    process.kills_before = std::exchange(process.kills_lately, now);
  }
  return event;
}

std::vector<CellInProgress> PackProcesses::cells() const {
  std::vector<CellInProgress> all;
  for (const auto& [pid, process] : processes_) {
    all.insert(all.end(), process.cells.begin(), process.cells.end());
  }
  return all;
}

std::vector<int64_t> PackProcesses::processes_by_gpu() const {
  std::vector<int64_t> processes(plan_.options.workers.gpus.size(), 0);
  for (const auto& [pid, process] : processes_) ++processes[process.gpu];
  return processes;
}

RunningPack look_at_progress(const Plan& plan, const PackProcess& process,
                             std::vector<CellStatus>& statuses) {
  std::vector<std::size_t> cells;
  for (const CellInProgress& each : process.cells) {
    CellStatus& status = statuses[each.cell];
    status = progress_of(run_folder(plan, plan.cells[each.cell]));
    status.state = CellState::kRunning;
    status.step = std::max(status.step, each.first_step);
    if (!has_record(plan, plan.cells[each.cell])) cells.push_back(each.cell);
  }
  if (cells.empty()) cells.push_back(process.cells.front().cell);
  return running_pack(plan, cells, statuses);
}

std::string last_words(const PackProcess& process, const ProcessEnd& end) {
  std::string line = last_line(process.log);
  if (end.exit_code == kExitBadInput || end.exit_code == kExitInterrupted) {
    std::string refusal = refusal_of_another(process);
    if (!refusal.empty()) return refusal;
  }
  if (line.starts_with(LocalExecutor::kHeading)) line = "it said nothing";
  if (process.killed_for_memory) {
    line += std::string("; the kernel killed it: ") + kMemoryDoesNotSuffice;
  }
  return line;
}

bool is_of_memory(const std::string& last_words) {
  return last_words.find(kMemoryDoesNotSuffice) != std::string::npos;
}

bool is_of_another_process(const std::string& last_words) {
  const auto says = [&](const char* words) { return last_words.find(words) != std::string::npos; };
  return says(kInUseBy) || says(kCompletedMeanwhile) || says(kTakenOver);
}

}  // namespace scalelaw
