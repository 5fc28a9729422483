#include "sweeps/plan/plan_options.h"

#include <optional>
#include <string_view>
#include <utility>

#include "sweeps/device/calibrated_device.h"
#include "sweeps/device/device_cache.h"
#include "sweeps/tuning/what_is_known.h"
#include "trainer/available_cores.h"
#include "trainer/config_error.h"
#include "trainer/gpu_probe.h"
#include "trainer/machine_memory.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

template <typename Convention>
Convention convention(const std::string& option, const std::string& text,
                      std::optional<Convention> (*from)(std::string_view),
                      const std::vector<std::string>& known) {
  if (const std::optional<Convention> found = from(text)) return *found;
  throw ConfigError(option + " " + text + ": unknown" + nearest_or_all(text, known));
}

std::optional<Throughput> measured(const PlanArguments& a, DeviceKind device,
                                   std::vector<std::string>& warnings) {
  Throughput throughput(read_device_file(a.device_file));
  if (throughput.kind() == device) return throughput;
  const bool on_cpu = device == DeviceKind::kCpu;
  const std::string fault = a.device_file + ": was measured on a " + (on_cpu ? "GPU" : "CPU") +
                            ", and these runs are on a " + (on_cpu ? "CPU" : "GPU") + " (--device)";
  if (!a.is_profiles_device_file) throw ConfigError("--device-file " + fault);
  warnings.push_back("the profile's device_file is left aside: " + fault);
  return std::nullopt;
}

Workers workers_of(const PlanArguments& a, const std::filesystem::path& root) {
  if (a.gpus > 0) return elsewhere(a.gpus, a.device, a.jobs, a.replicas);
  try {
    return choose_workers(a.device, a.jobs, a.replicas, probe_gpus(root), available_cores());
  } catch (const ConfigError& fault) {
    std::string text = fault.what();
    if (!a.device_from.empty()) text += " (" + a.device + " is asked for by " + a.device_from + ")";
    if (a.device == "cuda") text += "; `scalelaw sweep plan --gpus N` plans for GPUs elsewhere";
    throw ConfigError(text);
  }
}

double positive(const std::string& option, const std::string& text, const std::string& example) {
  const std::optional<double> number = parse_real(text);
  if (number && *number > 0) return *number;
  throw ConfigError(option + " " + text + ": must be a number > 0, as " + example);
}

PlanOptions options_of(const PlanArguments& a, const std::filesystem::path& root,
                       std::vector<std::string>& warnings) {
  PlanOptions options;
  options.profile = a.profile;
  options.runs = a.runs;
  options.data = a.data;
  options.n_count = convention("--n-count", a.n_count, n_count_from,
                               {"non_embedding", "non_embedding_plus_head", "total"});
  options.c_count =
      convention("--c-count", a.c_count, c_count_from,
                 {"six_n", "six_n_plus_head", "exact_causal", "exact_full", "chinchilla"});
  if (!a.flops_per_second.empty()) {
    options.flops_per_second = positive("--flops-per-second", a.flops_per_second, "30G");
  }
  if (!a.price_per_hour.empty()) {
    options.price_per_hour = positive("--price-per-hour", a.price_per_hour, "0.34");
  }
  options.workers = workers_of(a, root);
  const bool on_cpu = options.workers.device == DeviceKind::kCpu;
  options.memory_bytes = on_cpu ? machine_memory_bytes() : 0;
  if (!a.device_file.empty()) {
    options.throughput = measured(a, options.workers.device, warnings);
  }
  return options;
}

// What an earlier calibration has kept of this device.
void use_kept(const CalibratedDevice& device, PlanOptions& options,
              std::vector<std::string>& warnings) {
  if (!device.file) return;
  const CachedDevice kept = read_cached_device(*device.file);
  if (!kept.fault.empty()) {
    warnings.push_back("what --calibrate has kept is left aside: " + kept.fault);
  }
  if (kept.device && kept.device->kind == device.kind) options.throughput.emplace(*kept.device);
}

// A device elsewhere is another one, and --flops-per-second is a core's.
bool may_use_kept(const PlanArguments& a, const PlanOptions& options) {
  const bool on_cpu = options.workers.device == DeviceKind::kCpu;
  return a.gpus == 0 && !options.throughput && !(on_cpu && !a.flops_per_second.empty());
}

}  // namespace

AskedPlan plan_as_asked(const SweepSpec& spec, const PlanArguments& arguments,
                        const std::optional<CalibrationOptions>& calibration,
                        const std::filesystem::path& root) {
  AskedPlan asked;
  if (calibration && arguments.gpus > 0) {
    throw ConfigError(
        "--calibrate: measures this machine, and --gpus plans for GPUs elsewhere; calibrate on a "
        "machine that has one and give what it keeps in ~/.cache/scalelaw/devices, or a file of "
        "scripts/bench_packs.py --device cuda, by --device-file");
  }
  PlanOptions options = options_of(arguments, root, asked.warnings);
  const CalibratedDevice device = calibrated_device(options.workers, available_cores(), root);
  if (calibration) {
    Calibration measured = calibrate(make_plan(spec, options), *calibration, device);
    options.throughput.emplace(measured.device);
    for (std::string& text : measured.warnings) asked.warnings.push_back(std::move(text));
  } else if (may_use_kept(arguments, options)) {
    use_kept(device, options, asked.warnings);
  }
  asked.plan = make_plan(spec, options, trial_ends(options, spec.name));
  return asked;
}

}  // namespace scalelaw
