// A run's configuration: YAML, keys, rules, and what is written of it.
#include "tests/fuzz/fuzz_target.h"
#include "trainer/config_yaml.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const FlatConfig flat = parse_flat_config(bytes, "run.yaml");
  const RunConfig config = resolve(flat);
  (void)unread_keys(flat, config);
  const std::string written = to_yaml(config);
  require(to_yaml(resolve(parse_flat_config(written, "again.yaml"))) == written,
          "a configuration that was written reads back the same");
}

}  // namespace scalelaw
