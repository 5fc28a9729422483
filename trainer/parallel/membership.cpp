#include "trainer/parallel/membership.h"

#include <charconv>

#include "trainer/config_error.h"

namespace scalelaw {
namespace {

constexpr int kMostRanks = 1 << 16;
constexpr int kMostPort = 65535;

int whole(const Environment& environment, const char* name, int least, int most) {
  const std::string text = environment(name).value_or("");
  const std::string rule =
      "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  if (text.empty()) {
    throw ConfigError("--group env: " + std::string(name) + " is not set; it must be " + rule +
                      ". torchrun and srun set it; for processes of this machine alone use "
                      "--processes");
  }
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    throw ConfigError("--group env: " + std::string(name) + " = " + text + ": must be " + rule);
  }
  return value;
}

}  // namespace

Membership membership_from(const Environment& environment) {
  const auto variables = [&](const char* name) { return environment(name).value_or(""); };
  const bool by_slurm = variables("RANK").empty() && !variables("SLURM_PROCID").empty();
  Membership m;
  m.size = whole(environment, by_slurm ? "SLURM_NTASKS" : "WORLD_SIZE", 1, kMostRanks);
  m.rank = whole(environment, by_slurm ? "SLURM_PROCID" : "RANK", 0, m.size - 1);
  const char* local = by_slurm ? "SLURM_LOCALID" : "LOCAL_RANK";
  if (!variables(local).empty()) m.local_rank = whole(environment, local, 0, kMostRanks - 1);
  if (by_slurm && !variables("SLURM_NNODES").empty()) {
    const int nodes = whole(environment, "SLURM_NNODES", 1, kMostRanks);
    m.local_size = (m.size + nodes - 1) / nodes;
  } else if (!by_slurm && !variables("LOCAL_WORLD_SIZE").empty()) {
    m.local_size = whole(environment, "LOCAL_WORLD_SIZE", 1, kMostRanks);
  }
  m.restart = variables("TORCHELASTIC_RESTART_COUNT");
  m.address = variables("MASTER_ADDR");
  if (!m.address.empty()) {
    m.port = whole(environment, "MASTER_PORT", 1, kMostPort);
    m.launcher_serves = variables("TORCHELASTIC_USE_AGENT_STORE") == "True";
    return m;
  }
  if (!by_slurm) {
    throw ConfigError("--group env: MASTER_ADDR is not set; it must name the machine of rank 0");
  }
  // A requeued job keeps its numbers and counts its restarts.
  m.meeting_file = ".group-" + variables("SLURM_JOB_ID") + "." + variables("SLURM_STEP_ID") + "." +
                   variables("SLURM_RESTART_COUNT");
  return m;
}

}  // namespace scalelaw
