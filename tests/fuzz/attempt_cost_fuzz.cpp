// cost.0001.json, and the ledger of a run whose attempts have left several like it.
#include "tests/fuzz/fuzz_target.h"
#include "trainer/attempt_cost.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  for (const char* name : {"cost.0001.json", "cost.0002.json", "cost.0003.json"}) {
    scratch_file(name, bytes);
  }
  const std::vector<AttemptCost> costs = read_costs({scratch_folder()});
  require(costs.size() == 3 && costs.front().is_known == costs.back().is_known,
          "equal files are read alike");
  for (const int64_t kept : {int64_t{0}, costs.front().last_step()}) {
    const RunLedger ledger = ledger_of(costs, kept);
    require(ledger.train_tokens >= 0 && ledger.core_seconds >= 0, "a cost is no gain");
    const double undivided = ledger.undivided_core_seconds + ledger.undivided_gpu_seconds;
    require(1.001 * ledger.device_seconds >= ledger.machine_seconds && ledger.machine_seconds >= 0,
            "a machine's part is no more than its devices'");
    require(ledger.device_seconds + undivided <= 1.001 * (ledger.core_seconds + ledger.gpu_seconds),
            "no part is more than the whole");
    require(ledger.wasted_tokens >= 0 && ledger.wasted_tokens <= ledger.train_tokens,
            "no more is wasted than was paid");
  }
}

}  // namespace scalelaw
