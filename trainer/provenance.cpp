#include "trainer/provenance.h"

#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/version.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>

#include "trainer/clock.h"
#include "trainer/escaped.h"
#include "trainer/version.h"

namespace scalelaw {

Provenance current_provenance(at::Device device, int threads) {
  Provenance p;
  const BuildVersion version = build_version();
  p.program_version = version.program;
  p.git_commit = version.git_commit;
  p.git_dirty = version.git_dirty;
  p.torch_version = TORCH_VERSION;
  p.device = device.str();
  if (device.is_cuda()) {
    p.cuda_version = std::to_string(at::detail::getCUDAHooks().versionCUDART());
  }
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  p.host = host;
  p.started_at = utc_now();
  p.instruction_set = at::get_cpu_capability();
  p.threads = threads;
  return p;
}

std::string one_line_result(const RunFolder& folder) {
  const RunRecord record = read_run_record(folder);
  std::string line = escaped(folder.path.string()) + ":";
  if (record.state == RunState::kDiverged) {
    return line + " diverged after " + std::to_string(record.steps) + " steps";
  }
  char part[160];
  for (const auto& [name, result] : record.test) {
    std::snprintf(part, sizeof part, " %s %.4f nats/token", name.c_str(), result.loss_nats);
    line += part;
    if (std::isnan(result.bits_per_byte)) continue;
    std::snprintf(part, sizeof part, " (%.3f bits/byte)", result.bits_per_byte);
    line += part;
  }
  std::snprintf(part, sizeof part, ", %.1f s", record.wall_seconds);
  return line + part;
}

}  // namespace scalelaw
