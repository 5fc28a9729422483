#include "sweeps/launch/gpu_check.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sweeps/executors/local.h"
#include "sweeps/status/sweep_folder.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

// The smallest step that there is.
std::vector<std::string> one_step(const std::filesystem::path& trainer) {
  return {trainer.string(), "bench", "--device", "cuda", "--layers", "1", "--width",   "8",
          "--heads",        "1",     "--vocab",  "8",    "--batch",  "1", "--context", "8",
          "--steps",        "1",     "--warmup", "0"};
}

// What a process prints, in memory.
class Output {
 public:
  Output() : file_(memfd_create("gpu_check", MFD_CLOEXEC)) {}
  ~Output() { close(file_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

}  // namespace

void check_gpus(const Workers& workers, const std::filesystem::path& trainer) {
  if (workers.device != DeviceKind::kGpu) return;
  std::string refusal;
  int stopped_by = 0;
  {
    LocalExecutor executor;
    std::map<pid_t, std::string> gpu_of;
    std::map<pid_t, std::unique_ptr<Output>> outputs;
    for (const std::string& gpu : workers.gpus) {
      auto output = std::make_unique<Output>();
      LocalJob job{one_step(trainer), output->path()};
      if (!gpu.empty()) job.environment = {"CUDA_VISIBLE_DEVICES=" + gpu};
      const pid_t process = executor.start(job);
      gpu_of[process] = gpu;
      outputs[process] = std::move(output);
    }
    while (executor.running() > 0) {
      const LocalExecutor::Event event = executor.wait(1);
      if (event.stop_signal != 0) {
        stopped_by = event.stop_signal;
        executor.signal_all(SIGKILL);
      }
      if (event.ended == 0 || event.end == ProcessEnd{} || stopped_by != 0) continue;
      const std::string& gpu = gpu_of.at(event.ended);
      refusal += (refusal.empty() ? " " : "; ") + (gpu.empty() ? "" : "GPU " + gpu + ": ") +
                 describe(event.end) + ": " + last_line(outputs.at(event.ended)->path());
    }
  }
  if (stopped_by != 0) raise(stopped_by);
  if (refusal.empty()) return;
  throw ConfigError("the sweep is to run on a GPU, and the trainer cannot:" + refusal +
                    ". Use --device cpu, or leave a GPU out by CUDA_VISIBLE_DEVICES");
}

}  // namespace scalelaw
