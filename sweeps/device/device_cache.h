// What `scalelaw sweep plan --calibrate` has measured on this device, kept for later plans: a
// device's file (device_file.h) in the user's cache folder. Only a cache: what cannot be read is
// told and left aside.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "sweeps/device/device_file.h"
#include "trainer/gpu_probe.h"

namespace scalelaw {

// $XDG_CACHE_HOME/scalelaw/devices, else ~/.cache/scalelaw/devices; nullopt where neither is an
// absolute path.
std::optional<std::filesystem::path> device_cache_folder(
    const Environment& environment = environment_variable);

// "AMD EPYC, 2 cores": the CPU as the system calls it, and the cores that are this process's.
std::string cpu_name(int cores, const std::filesystem::path& cpu_info = "/proc/cpuinfo");

// FOLDER/amd_epyc_2_cores.yaml
std::filesystem::path device_cache_file(const std::filesystem::path& folder,
                                        const std::string& device);

struct CachedDevice {
  std::optional<DeviceFile> device;  // nullopt: none, or not readable
  std::string fault;                 // why it is not read though it is there; else ""
};
CachedDevice read_cached_device(const std::filesystem::path& file);

// Of equal shape, batch, precision and packing.
bool same_step(const MeasuredStep& a, const MeasuredStep& b);

// Of a device's steps the newest of each that are the same: those of `before`,
// then `measured`, whose device and date hold. The oldest beyond kMostCachedRows are left out.
inline constexpr std::size_t kMostCachedRows = 160;
DeviceFile merged(const std::optional<DeviceFile>& before, DeviceFile measured);

// Makes the folder where it lacks. Why it could not be written; else "".
std::string write_cached_device(const std::filesystem::path& file, const DeviceFile& device);

}  // namespace scalelaw
