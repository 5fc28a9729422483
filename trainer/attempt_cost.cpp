#include "trainer/attempt_cost.h"

#include <fcntl.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/descriptor.h"
#include "trainer/json_text.h"
#include "trainer/machine_memory.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// Written over in place, whole, so each content is as long as the one before.
constexpr std::size_t kCostBytes = 512;

// More than any run, and few enough that the sum over all its attempts is a number too.
constexpr int64_t kMostCounted = int64_t{1} << 50;

double seconds_from(const nlohmann::json& json) {
  const auto seconds = json.get<double>();
  if (!(seconds >= 0 && seconds <= static_cast<double>(kMostCounted))) {
    throw std::runtime_error("is no time: " + shown(json));
  }
  return seconds;
}

std::optional<AttemptCost> read_cost(const fs::path& file) {
  try {
    constexpr uintmax_t kMostBytes = 64 << 10;  // of somebody else's file in its place
    if (fs::file_size(file) > kMostBytes) return std::nullopt;
    const nlohmann::json json = parse_json_object(read_whole_file(file));
    AttemptCost cost;
    cost.number =
        static_cast<int>(whole_number(json.at("attempt"), 1, std::numeric_limits<int>::max()));
    cost.first_step = whole_number(json.at("first_step"), 0, kMostCounted);
    cost.steps = whole_number(json.at("steps"), 0, kMostCounted);
    cost.train_tokens = whole_number(json.at("train_tokens"), 0, kMostCounted);
    cost.wall_seconds = seconds_from(json.at("wall_seconds"));
    cost.core_seconds = seconds_from(json.at("core_seconds"));
    cost.gpu_seconds = seconds_from(json.at("gpu_seconds"));
    if (json.contains("peak_bytes")) {  // later than the rest
      cost.peak_bytes = static_cast<double>(whole_number(json.at("peak_bytes"), 0, kMostCounted));
    }
    if (json.contains("machine_processes")) {
      cost.company.on_machine = whole_number(json.at("machine_processes"), 1, Company::kMost);
      cost.company.on_gpu = whole_number(json.at("gpu_processes"), 1, cost.company.on_machine);
    }
    cost.end = json.at("end").get<std::string>();
    return cost;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::string text_of(const AttemptCost& cost) {
  nlohmann::ordered_json json = {{"attempt", cost.number},
                                 {"first_step", cost.first_step},
                                 {"steps", cost.steps},
                                 {"train_tokens", cost.train_tokens},
                                 {"wall_seconds", cost.wall_seconds},
                                 {"core_seconds", cost.core_seconds},
                                 {"gpu_seconds", cost.gpu_seconds},
                                 {"peak_bytes", std::llround(cost.peak_bytes)},
                                 {"end", cost.end}};
  if (cost.company.on_machine > 0) {
    json["gpu_processes"] = cost.company.on_gpu;
    json["machine_processes"] = cost.company.on_machine;
  }
  std::string text = json.dump();
  text.resize(kCostBytes - 1, ' ');
  return text + '\n';
}

}  // namespace

fs::path cost_file(const RunFolder& folder, int attempt) {
  char name[32];
  std::snprintf(name, sizeof name, "cost.%04d.json", attempt);
  return folder.path / name;
}

std::vector<AttemptCost> read_costs(const RunFolder& folder) {
  std::vector<AttemptCost> costs;
  std::error_code error;
  for (fs::directory_iterator it(folder.path, error), end; !error && it != end;
       it.increment(error)) {
    int number = 0;
    if (std::sscanf(it->path().filename().c_str(), "cost.%d.json", &number) != 1) continue;
    if (it->path() != cost_file(folder, number)) continue;
    AttemptCost unknown{number};
    unknown.is_known = false;
    costs.push_back(read_cost(it->path()).value_or(unknown));
  }
  std::sort(costs.begin(), costs.end(),
            [](const AttemptCost& a, const AttemptCost& b) { return a.number < b.number; });
  return costs;
}

static void add_parts(RunLedger& ledger, const AttemptCost& cost) {
  if (cost.company.on_machine == 0) {
    ledger.undivided_core_seconds += cost.core_seconds;
    ledger.undivided_gpu_seconds += cost.gpu_seconds;
    return;
  }
  ledger.device_seconds +=
      cost.core_seconds + cost.gpu_seconds / static_cast<double>(cost.company.on_gpu);
  ledger.machine_seconds +=
      (cost.core_seconds + cost.gpu_seconds) / static_cast<double>(cost.company.on_machine);
}

void RunLedger::add(const RunLedger& other) {
  attempts += other.attempts;
  unknown += other.unknown;
  train_tokens += other.train_tokens;
  wall_seconds += other.wall_seconds;
  core_seconds += other.core_seconds;
  gpu_seconds += other.gpu_seconds;
  device_seconds += other.device_seconds;
  machine_seconds += other.machine_seconds;
  undivided_core_seconds += other.undivided_core_seconds;
  undivided_gpu_seconds += other.undivided_gpu_seconds;
  peak_bytes = std::max(peak_bytes, other.peak_bytes);
  wasted_tokens += other.wasted_tokens;
  wasted_core_seconds += other.wasted_core_seconds;
  wasted_gpu_seconds += other.wasted_gpu_seconds;
}

RunLedger ledger_of(const std::vector<AttemptCost>& costs, int64_t kept_step) {
  RunLedger ledger;
  int64_t steps = 0;
  for (const AttemptCost& cost : costs) {
    ++ledger.attempts;
    ledger.unknown += cost.is_known ? 0 : 1;
    steps += cost.steps;
    ledger.train_tokens += cost.train_tokens;
    ledger.wall_seconds += cost.wall_seconds;
    ledger.core_seconds += cost.core_seconds;
    ledger.gpu_seconds += cost.gpu_seconds;
    add_parts(ledger, cost);
    ledger.peak_bytes = std::max(ledger.peak_bytes, cost.peak_bytes);
  }
  if (!costs.empty() && !costs.back().is_known) return ledger;
  // Attempts of before there were such files are not among them.
  const int64_t wasted = std::max<int64_t>(0, steps - kept_step);
  if (wasted == 0) return ledger;
  const double share = static_cast<double>(wasted) / static_cast<double>(steps);
  ledger.wasted_tokens = std::llround(share * static_cast<double>(ledger.train_tokens));
  ledger.wasted_core_seconds = share * ledger.core_seconds;
  ledger.wasted_gpu_seconds = share * ledger.gpu_seconds;
  return ledger;
}

CostBook::CostBook(const RunFolder& folder, AttemptCost begun, int64_t batch_tokens,
                   const Share& share, double started_at)
    : file_(cost_file(folder, begun.number)),
      begun_(std::move(begun)),
      batch_tokens_(batch_tokens),
      share_(share),
      started_at_(started_at) {
  try {
    write_atomically(file_, text_of(begun_));  // an attempt killed at once is counted too
  } catch (const std::runtime_error&) {
    // Later ones are written in its place.
    const Descriptor made(open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  }
  write("");
  heartbeat_.emplace([this] { write(""); });
}

void CostBook::note() {
  write("");
}

void CostBook::close(const std::string& end) {
  write(end);
  heartbeat_.reset();
}

void CostBook::write(const std::string& end) {
  const std::lock_guard lock(writing_);
  if (is_closed_) return;
  is_closed_ = !end.empty();
  const double seconds = monotonic_seconds() - started_at_;
  AttemptCost now = begun_;
  now.steps = steps_;
  now.train_tokens = now.steps * batch_tokens_;
  now.wall_seconds = seconds;
  now.core_seconds = seconds * share_.cores;
  now.gpu_seconds = seconds * share_.gpus;
  if (share_.is_alone) now.peak_bytes = peak_memory_bytes();
  now.end = end;
  (void)write_over(file_, text_of(now));
}

}  // namespace scalelaw
