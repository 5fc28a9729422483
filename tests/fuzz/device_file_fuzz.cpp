// What was measured on a device (configs/devices/).
#include "sweeps/device/device_file.h"
#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const DeviceFile device = parse_device_file(bytes, "device.yaml");
  require(!device.rows.empty(), "a device's file has rows");
  const std::string written = to_yaml(device);
  const DeviceFile again = parse_device_file(written, "device.yaml");
  require(again.rows.size() == device.rows.size(), "what is written has all rows");
  require(to_yaml(again) == written, "what was read and written again reads the same");
}

}  // namespace scalelaw
