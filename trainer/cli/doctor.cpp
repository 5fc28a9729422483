#include "trainer/cli/doctor.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "trainer/available_cores.h"
#include "trainer/cli/store_mount.h"
#include "trainer/data/data_set.h"
#include "trainer/data/out_of_reach.h"
#include "trainer/number.h"
#include "trainer/shell_word.h"
#include "trainer/writable_folder.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr double kGiB = 1024.0 * 1024 * 1024;

Finding examine_cores() {
  return {"cores", Health::kGood, std::to_string(available_cores()) + " for this process", ""};
}

Finding examine_memory() {
  std::ifstream info("/proc/meminfo");
  double available_kib = 0;
  for (std::string key, rest; info >> key && std::getline(info, rest);) {
    if (key == "MemAvailable:") available_kib = std::strtod(rest.c_str(), nullptr);
  }
  const double gib = available_kib / 1024 / 1024;
  char text[64];
  std::snprintf(text, sizeof text, "%.1f GiB available", gib);
  if (gib >= 1) return {"memory", Health::kGood, text, ""};
  return {"memory", Health::kLimited, text,
          "each run of a sweep needs 0.2 GiB or more: run fewer at a time"};
}

Finding examine_store(const fs::path& runs) {
  const fs::path at = existing_part(runs);
  struct statvfs disk {};
  std::string problem = why_not_writable(runs);
  if (problem.empty() && statvfs(at.c_str(), &disk) != 0) problem = at.string() + " has no disk";
  if (!problem.empty()) {
    return {"run store", Health::kBroken, runs.string() + ": " + problem,
            "choose another with --runs FOLDER"};
  }
  // Some file systems count no inodes and say 0 of 0.
  const double inodes = disk.f_files == 0 ? 1e9 : static_cast<double>(disk.f_favail);
  return examine_disk(runs, static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize),
                      inodes);
}

bool starts(const fs::path& program) {
  posix_spawn_file_actions_t silent;
  posix_spawn_file_actions_init(&silent);
  posix_spawn_file_actions_addopen(&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&silent, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string name = program.string();
  std::string help = "--help";
  char* arguments[] = {name.data(), help.data(), nullptr};
  pid_t child = 0;
  const int failed = posix_spawn(&child, name.c_str(), &silent, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&silent);
  int status = 1;
  return failed == 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

Finding examine_program(const fs::path& folder, const std::string& name,
                        const std::string& proves) {
  const fs::path program = folder / name;
  std::error_code ignored;
  if (!fs::exists(program, ignored)) {
    return {name, Health::kBroken, "not in " + folder.string(),
            "scripts/setup.sh, then cmake --preset release && cmake --build --preset release"};
  }
  if (starts(program)) return {name, Health::kGood, "starts" + proves, ""};
  return {name, Health::kBroken, "does not start",
          "`ldd " + program.string() + "` names a missing library"};
}

bool cuda_half_installed(const fs::path& torch) {
  std::error_code ignored;
  const fs::path beside = torch.parent_path() / "nvidia";
  return fs::exists(torch / "lib/libtorch_cuda.so", ignored) &&
         (!fs::exists(beside, ignored) || fs::exists(beside / "cudnn", ignored));
}

Finding examine_torch(const DoctorOptions& options) {
  std::error_code ignored;
  if (options.torch.empty()) {
    return {"LibTorch", Health::kBroken, "this build is without it",
            "scripts/setup.sh, then cmake --preset release"};
  }
  if (!fs::exists(options.torch / "lib/libtorch_cpu.so", ignored)) {
    return {"LibTorch", Health::kBroken, "gone from " + options.torch.string(), "scripts/setup.sh"};
  }
  return {"LibTorch", Health::kGood,
          options.torch_version +
              (cuda_half_installed(options.torch) ? ", CPU and CUDA" : ", CPU alone") + ", " +
              options.torch.string(),
          ""};
}

bool on_path(const std::string& program) {
  std::istringstream folders(environment_variable("PATH").value_or(""));
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((fs::path(folder) / program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

Finding examine_gnuplot() {
  if (on_path("gnuplot")) return {"gnuplot", Health::kGood, "there: figures as SVG and PNG", ""};
  return {"gnuplot", Health::kLimited, "not on PATH: no figures, and a report ends with 1",
          "Debian package gnuplot-nox"};
}

// Of a set that open_data_set refused. Only what is damaged is to be replaced.
Finding refused_set(const std::exception& fault, const std::string& name, const fs::path& data) {
  Finding finding{"data set", Health::kLimited, fault.what(), ""};
  if (const auto* out_of_reach = dynamic_cast<const OutOfReach*>(&fault)) {
    finding.found = out_of_reach->fault();
    finding.advice = out_of_reach->remedy();
  } else if (dynamic_cast<const ConfigError*>(&fault) == nullptr) {
    finding.advice = "the disk fails: try again, then copy the set to another";
  } else {
    const std::string end = " --replace" + folder_option("--data", data, "data");
    finding.advice = comes_with_default(name)
                         ? "scalelaw data build default" + end
                         : "build it again (scalelaw data build SOURCES --name " + name + end +
                               "), or remove the folder";
  }
  return finding;
}

// Headers, data_set.json and the tokenizer of each set; `scalelaw data verify` reads the tokens.
std::vector<Finding> examine_data(const fs::path& data) {
  std::vector<std::string> names;
  try {
    names = data_set_names(data);
  } catch (const OutOfReach& error) {
    return {{"data sets", Health::kBroken, error.fault(), error.remedy()}};
  }
  if (names.empty()) {
    return {{"data sets", Health::kLimited, "none in " + data.string(),
             "scalelaw data build default" + folder_option("--data", data, "data")}};
  }
  std::string whole;
  std::vector<Finding> findings;
  for (const std::string& name : names) {
    try {
      open_data_set(data, name);
      whole += (whole.empty() ? "" : ", ") + name;
    } catch (const std::exception& fault) {
      findings.push_back(refused_set(fault, name, data));
    }
  }
  if (whole.empty()) {
    for (Finding& finding : findings) finding.health = Health::kBroken;
  } else {
    findings.insert(findings.begin(),
                    {"data sets", Health::kGood, whole + " in " + data.string(), ""});
  }
  return findings;
}

Finding examine_slurm() {
  return {"Slurm", Health::kGood,
          on_path("sbatch") ? "there; sweeps run on this machine"
                            : "not here; sweeps run on this machine",
          ""};
}

std::string_view name(Health health) {
  switch (health) {
    case Health::kGood:
      return "good";
    case Health::kLimited:
      return "limited";
    case Health::kBroken:
      return "broken";
  }
  return "";
}

}  // namespace

Finding examine_disk(const fs::path& folder, double free_bytes, double free_inodes) {
  char text[128];
  std::snprintf(text, sizeof text, ": %.1f GiB and %s inodes free", free_bytes / kGiB,
                human(free_inodes).c_str());
  const std::string found = folder.string() + text;
  // A run of the quickstart keeps about 2 MB in about ten files; its 18 runs 40 MB.
  if (free_bytes < 0.2 * kGiB || free_inodes < 1000) {
    return {"run store", Health::kBroken, found, "a sweep needs 0.2 GiB and 1000 inodes or more"};
  }
  if (free_bytes < 5 * kGiB || free_inodes < 20000) {
    return {"run store", Health::kLimited, found,
            "enough for a small sweep; a large one needs more"};
  }
  return {"run store", Health::kGood, found, ""};
}

Finding examine_gpu(const GpuProbe& probe, bool cuda_half) {
  if (probe.hidden_though_allotted()) {
    return {"GPU", Health::kLimited,
            "hidden (" + probe.hidden_by + ") in a job that has some (" + probe.allocation + ")",
            "give the step GPUs (srun --gpus=1), or train with --device cpu"};
  }
  if (!probe.hidden_by.empty()) {
    return {"GPU", Health::kGood, "hidden (" + probe.hidden_by + "): runs use the CPU", ""};
  }
  if (!probe.present()) return {"GPU", Health::kGood, "none: runs use the CPU", ""};
  const std::string found = std::to_string(probe.gpus) + " in /dev, driver " +
                            (probe.driver_version.empty() ? "none" : probe.driver_version) +
                            (probe.allocation.empty() ? "" : ", " + probe.allocation);
  if (!probe.driver_is_new_enough()) {
    return {"GPU", Health::kLimited, found,
            "it needs driver " + std::to_string(kDriverNeeded) +
                " or newer; until then train with --device cpu"};
  }
  if (!cuda_half) {
    return {"GPU", Health::kLimited, found,
            "LibTorch here is for the CPU alone: scripts/setup.sh --torch cuda, or --device cpu"};
  }
  return {"GPU", Health::kGood, found, ""};
}

std::vector<Finding> examine(const DoctorOptions& options) {
  std::vector<Finding> findings = {
      examine_cores(),
      examine_memory(),
      examine_store(options.runs),
      examine_torch(options),
      examine_gpu(probe_gpus(), cuda_half_installed(options.torch)),
      examine_program(options.programs, "scalelaw-data", "; SentencePiece loads"),
      examine_program(options.programs, "scalelaw-train", "; LibTorch loads"),
      examine_program(options.programs, "scalelaw-sweep", ""),
      examine_program(options.programs, "scalelaw-runs", "; libarchive loads"),
      examine_program(options.programs, "scalelaw-fit", ""),
      examine_gnuplot(),
  };
  for (Finding& finding : examine_data(options.data)) findings.push_back(std::move(finding));
  findings.push_back(examine_profiles(environment_variable));
  findings.push_back(examine_slurm());
  std::ifstream mounts("/proc/self/mounts");
  std::error_code error;
  const fs::path store = fs::weakly_canonical(options.runs, error);
  if (auto finding = examine_mount(mount_of(store, mounts))) findings.push_back(*finding);
  return findings;
}

std::string to_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& f : findings) {
    text += f.subject + std::string(16 - f.subject.size(), ' ') + std::string(name(f.health)) +
            std::string(9 - name(f.health).size(), ' ') + f.found + "\n";
    if (!f.advice.empty()) text += std::string(25, ' ') + "-> " + f.advice + "\n";
  }
  return text +
         (can_run_sweeps(findings) ? "A sweep can run here.\n" : "A sweep cannot run here.\n");
}

std::string to_json(const std::vector<Finding>& findings) {
  nlohmann::json list = nlohmann::json::array();
  for (const Finding& f : findings) {
    list.push_back({{"subject", f.subject},
                    {"health", name(f.health)},
                    {"found", f.found},
                    {"advice", f.advice}});
  }
  // A folder's name may be no UTF-8; the report must still be JSON.
  return nlohmann::json{{"can_run_sweeps", can_run_sweeps(findings)}, {"findings", list}}.dump(
      2, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool can_run_sweeps(const std::vector<Finding>& findings) {
  for (const Finding& f : findings) {
    if (f.health == Health::kBroken) return false;
  }
  return true;
}

}  // namespace scalelaw
