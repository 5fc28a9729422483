#include "trainer/process_life.h"

#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

namespace scalelaw {
namespace {

struct ProcessStatus {
  char state = '?';  // as in ps: R, S, D, T, Z
  int64_t threads = 1;
  int64_t started = 0;
};

// /proc/PID/stat; nullopt where there is none or it may not be read.
std::optional<ProcessStatus> read_status(int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The program's name stands in brackets and may hold any character.
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  ProcessStatus status;
  fields >> status.state;
  constexpr int kFieldsBetween = 16;  // state is the third, threads the 20th, the start the 22nd
  std::string skipped;
  for (int i = 0; i < kFieldsBetween; ++i) fields >> skipped;
  fields >> status.threads >> skipped >> status.started;
  if (!fields) return std::nullopt;
  return status;
}

std::string first_line_of(const char* file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::string link_target(const char* link) {
  char target[64];
  const ssize_t length = readlink(link, target, sizeof target);
  return length > 0 ? std::string(target, static_cast<std::size_t>(length)) : "";
}

ProcessName machine() {
  ProcessName name;
  char host[HOST_NAME_MAX + 1] = "";
  gethostname(host, sizeof host - 1);
  name.host = host;
  name.boot = first_line_of("/proc/sys/kernel/random/boot_id");
  name.pid_namespace = link_target("/proc/self/ns/pid");
  return name;
}

}  // namespace

ProcessName this_process() {
  static const ProcessName kMachine = machine();
  ProcessName name = kMachine;
  name.pid = getpid();
  if (const auto status = read_status(name.pid)) name.started = status->started;
  return name;
}

std::string describe(const ProcessName& name) {
  return "pid " + std::to_string(name.pid) + " on " + name.host;
}

ProcessLife life_of(const ProcessName& name) {
  const ProcessName here = this_process();
  const bool same_machine = !here.boot.empty() && name.boot == here.boot && name.host == here.host;
  const bool same_numbers = !here.pid_namespace.empty() && name.pid_namespace == here.pid_namespace;
  if (!same_machine || !same_numbers || name.pid <= 0) return ProcessLife::kUnknown;
  if (kill(static_cast<pid_t>(name.pid), 0) != 0 && errno == ESRCH) return ProcessLife::kGone;
  const std::optional<ProcessStatus> status = read_status(name.pid);
  if (!status) return ProcessLife::kRuns;  // another user's, in a /proc that hides it
  if (status->started != name.started) return ProcessLife::kGone;
  constexpr std::string_view kEnded = "ZX", kSuspended = "Tt";
  // The first thread of a process that was killed may have ended while another waits for a disk.
  const bool has_ended = kEnded.find(status->state) != std::string_view::npos;
  if (has_ended) return status->threads > 1 ? ProcessLife::kRuns : ProcessLife::kGone;
  if (kSuspended.find(status->state) != std::string_view::npos) return ProcessLife::kStopped;
  return ProcessLife::kRuns;
}

}  // namespace scalelaw
