#include "sweeps/launch/register_predictions.h"

#include <signal.h>

#include <fstream>
#include <string>

#include "sweeps/executors/local.h"
#include "trainer/escaped.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

ProcessEnd register_predictions(const std::filesystem::path& analyst, const Plan& plan,
                                RunDisplay& display) {
  const std::filesystem::path record = sweep_record_file(plan.options.runs, plan.name);
  const std::filesystem::path log = sweep_folder(plan.options.runs, plan.name).log("predict");
  std::error_code none;
  std::filesystem::remove(log, none);
  ProcessEnd end;
  int stopped_by = 0;
  {
    LocalExecutor executor;
    executor.start({{analyst.string(), "predict", record.string(), "--register"}, log});
    while (executor.running() > 0) {
      const LocalExecutor::Event event = executor.wait(1);
      if (event.ended != 0) end = event.end;
      if (event.stop_signal == 0) continue;
      stopped_by = event.stop_signal;
      executor.signal_all(SIGKILL);
    }
  }
  if (stopped_by != 0) raise(stopped_by);
  std::ifstream said(log);
  for (std::string line; std::getline(said, line);) {
    if (!line.starts_with(LocalExecutor::kHeading)) display.line(escaped(line));
  }
  return end;
}

}  // namespace scalelaw
