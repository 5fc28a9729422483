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
    require(ledger.wasted_tokens >= 0 && ledger.wasted_tokens <= ledger.train_tokens,
            "no more is wasted than was paid");
  }
}

}  // namespace scalelaw
