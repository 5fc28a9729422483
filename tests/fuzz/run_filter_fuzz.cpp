// What --where takes.
#include "tests/fuzz/fuzz_target.h"
#include "trainer/run_filter.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const std::vector<FilterKey> keys = {{"N", FactKind::kNumber},
                                       {"state", FactKind::kText, {"complete", "diverged"}},
                                       {"test.*.loss_nats", FactKind::kNumber},
                                       {"sweeps", FactKind::kList}};
  const RunFilter filter(std::string(bytes), keys);
  const Fact number = 1.5, text = std::string("complete"), list = std::vector<std::string>{"a"};
  for (const Fact* fact : {&number, &text, &list, static_cast<const Fact*>(nullptr)}) {
    filter.matches([&](const std::string& key) -> const Fact* {
      const bool fits =
          fact == nullptr || (key == "N" || key.starts_with("test.")) == (fact == &number);
      return fits && (fact != &list || key == "sweeps") ? fact : nullptr;
    });
  }
}

}  // namespace scalelaw
