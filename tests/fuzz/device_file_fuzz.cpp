// What was measured on a device (configs/devices/).
#include "sweeps/device_file.h"
#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const DeviceFile device = parse_device_file(bytes, "device.yaml");
  require(!device.rows.empty(), "a device's file has rows");
}

}  // namespace scalelaw
