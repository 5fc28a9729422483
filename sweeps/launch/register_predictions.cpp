#include "sweeps/launch/register_predictions.h"

#include <signal.h>
#include <sys/mman.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "sweeps/executors/local.h"
#include "trainer/descriptor.h"
#include "trainer/disk_space.h"
#include "trainer/escaped.h"
#include "trainer/program_exit.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

PredictionAttempt register_predictions(const std::filesystem::path& analyst, const Plan& plan,
                                       RunDisplay& display) {
  const std::filesystem::path record = sweep_record_file(plan.options.runs, plan.name);
  const Descriptor memory(memfd_create("predict.log", MFD_CLOEXEC));
  if (memory.get() < 0) throw_disk_error("the memory for what a prediction says", errno);
  const std::filesystem::path log = "/proc/self/fd/" + std::to_string(memory.get());
  PredictionAttempt attempt;
  int stopped_by = 0;
  {
    LocalExecutor executor;
    executor.start({{analyst.string(), "predict", record.string(), "--register"}, log});
    while (executor.running() > 0) {
      const LocalExecutor::Event event = executor.wait(1);
      if (event.ended != 0) attempt.end = event.end;
      if (event.stop_signal == 0) continue;
      stopped_by = event.stop_signal;
      executor.signal_all(SIGKILL);
    }
  }
  if (stopped_by != 0) raise(stopped_by);
  std::ifstream said(log);
  for (std::string line; std::getline(said, line);) {
    if (line.starts_with(LocalExecutor::kHeading)) continue;
    if (attempt.end == ProcessEnd{kExitOther, 0} && tells_of_full_disk(line)) {
      attempt.no_room = line;
    }
    display.line(escaped(line));
  }
  return attempt;
}

}  // namespace scalelaw
