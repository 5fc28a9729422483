// Which rank of which group this process is, by the variables of whoever started it. No LibTorch.
#pragma once

#include <string>

#include "trainer/gpu_probe.h"

namespace scalelaw {

struct Membership {
  int rank = 0, size = 1;
  int local_rank = 0;  // among the ranks of this machine: which of its GPUs
  int local_size = 1;  // how many share this machine's memory
  // Where the ranks find each other. The store is served by rank 0 unless the launcher does.
  std::string address;  // "": through meeting_file on a file system that all ranks share
  int port = 0;
  bool launcher_serves = false;
  std::string restart;       // which start of the group this is, where a launcher starts it again
  std::string meeting_file;  // a name, of this start of this job alone
};

// RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT (torchrun and whoever
// sets the same) where RANK is set, else SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID and SLURM_NNODES
// (srun) with MASTER_ADDR and
// MASTER_PORT, or without them a file in the store of runs. ConfigError names what is missing or
// cannot be.
Membership membership_from(const Environment& environment = environment_variable);

}  // namespace scalelaw
