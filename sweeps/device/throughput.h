// How long a training step takes on a device: the law of sweeps/device/step_law.h with numbers
// fitted to what was measured there, or, where nothing was, stated ones.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sweeps/device/device_file.h"
#include "sweeps/device/step_law.h"
#include "trainer/step_choice.h"

namespace scalelaw {

// held_out_errors() of all laws of a device.
struct HeldOutError {
  int64_t rows = 0;  // 0: too few shapes to tell
  double median = 0, worst = 0;
};

class Throughput {
 public:
  // A law for each architecture and precision with enough rows.
  explicit Throughput(const DeviceFile& file);
  // A device of which nothing was measured. A CPU: 30 GFLOP/s a core, one run a process. A GPU:
  // kAssumedGpu in throughput.cpp.
  static Throughput unmeasured(DeviceKind device);

  // Of a batch computed at once, `request.replicas` in each process. nullopt: no rows for the
  // architecture in this precision, or it gives no counts.
  std::optional<double> step_seconds(const StepRequest& request, int processes) const;

  DeviceKind kind() const { return kind_; }
  bool is_measured() const { return is_measured_; }
  // What was measured, or is assumed; a packing is not chosen beyond them.
  int64_t most_replicas() const { return most_replicas_; }
  // The same law, chosen by up to so many replicas.
  Throughput with_most_replicas(int64_t replicas) const;
  int most_processes() const { return most_processes_; }
  double start_seconds() const { return start_seconds_; }  // of a process; 0: not measured
  HeldOutError held_out_error() const { return error_; }
  std::string source() const { return source_; }  // for people: the device, the file, the date

 private:
  using LawKey = std::pair<std::string, Precision>;  // architecture
  Throughput() = default;
  std::optional<StepLaw> law_for(const StepRequest& request) const;

  DeviceKind kind_ = DeviceKind::kCpu;
  bool is_measured_ = false;
  int64_t most_replicas_ = 1;
  int most_processes_ = 1;
  double start_seconds_ = 0;
  std::map<LawKey, StepLaw> laws_;
  HeldOutError error_;
  std::string source_;
};

}  // namespace scalelaw
