// The processes that train packs: what each is given on its command line, in its environment and on
// its GPU, and which cells it holds until it ends.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sweeps/device/packing.h"
#include "sweeps/executors/local.h"
#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"
#include "sweeps/status/sweep_folder.h"
#include "sweeps/status/sweep_view.h"
#include "sweeps/status/work_left.h"
#include "trainer/attempt_cost.h"
#include "trainer/machine_memory.h"

namespace scalelaw {

// How many processes the kernel had killed for want of memory at a moment; nullopt: not told.
struct KillCount {
  std::optional<int64_t> kills;
  double at = 0;  // monotonic seconds
};

// What the launcher has asked a process to write a checkpoint and end for. Nobody is asked twice,
// which would kill.
enum class EndAsked { kNo, kForTime, kToRepack };

struct PackProcess {
  std::vector<CellInProgress> cells;  // by row
  std::filesystem::path log;          // named after the first cell's folder
  std::uintmax_t log_begins = 0;      // bytes that it held before
  std::size_t gpu = 0;                // of the workers'
  double started_at = 0;              // monotonic seconds
  EndAsked asked_to_end = EndAsked::kNo;
  bool had_company = false;        // another process ran beside it at some time
  KillCount kills_before;          // two to four seconds ago, or as it started
  KillCount kills_lately;          // two seconds ago at most
  bool killed_for_memory = false;  // alone, by the kernel
};

class PackProcesses {
 public:
  using CountKills = std::function<std::optional<int64_t>()>;
  // `trainer`: the program scalelaw-train. `plan` outlives it. As LocalExecutor takes signals.
  // `kills`: how many processes the kernel has killed for want of memory so far.
  PackProcesses(
      const Plan& plan, std::filesystem::path trainer,
      CountKills kills = [] { return kills_for_memory(); })
      : plan_(plan),
        trainer_(std::move(trainer)),
        kills_(std::move(kills)),
        folder_(sweep_folder(plan.options.runs, plan.name)) {}

  // Within the limits noted of its cells (cell_limits.h), on the GPU that has fewest. `statuses` of
  // all cells, as last seen. `to_come`: packs that are started right after it; with these and those
  // that run it shares its GPU and the machine, as its cost files note. std::runtime_error when a
  // configuration or the log cannot be written, or fork fails.
  void start(const PlannedPack& pack, const std::vector<CellStatus>& statuses, std::size_t to_come);

  struct Event {
    std::optional<PackProcess> ended;
    ProcessEnd end;
    int stop_signal = 0;  // that reached the launcher; 0: none did
  };
  // The next thing that happens, or nothing after `seconds`.
  Event wait(double seconds);

  void signal_all(int signal) const;
  // Asks those that have run for `seconds` to write a checkpoint and end; kills those that have not
  // done so two minutes later.
  void stop_overdue(double seconds);
  // Asks one to write a checkpoint and end, so that it can begin anew with fewer rows.
  void stop_to_repack(pid_t process);
  std::size_t running() const { return executor_.running(); }  // processes
  const std::map<pid_t, PackProcess>& all() const { return processes_; }
  std::vector<CellInProgress> cells() const;  // of all of them

 private:
  std::vector<int64_t> processes_by_gpu() const;
  Company company_of_next(std::size_t to_come) const;

  const Plan& plan_;
  std::filesystem::path trainer_;
  CountKills kills_;
  SweepFolder folder_;
  LocalExecutor executor_;
  std::map<pid_t, PackProcess> processes_;
};

// Looks at what its cells have done, and notes it in `statuses`, which are of all cells. The pack
// is of those that still train.
RunningPack look_at_progress(const Plan& plan, const PackProcess& process,
                             std::vector<CellStatus>& statuses);
// What a process said last, or, where it was refused a folder that another has, that: the other's
// lines may stand behind it in the same log. "it said nothing" where its attempt left no line. Of
// one that SIGKILL ended while nothing else of this launch ran beside it, and for want of memory
// the kernel had killed in the seconds before, also that: a SIGKILL alone may be anybody's.
std::string last_words(const PackProcess& process, const ProcessEnd& end);
// Whether those words say that memory did not suffice, or that another process had, or took, one
// of the folders.
bool is_of_memory(const std::string& last_words);
bool is_of_another_process(const std::string& last_words);

}  // namespace scalelaw
