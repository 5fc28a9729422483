#include "trainer/run_lease.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/descriptor.h"
#include "trainer/folder_lock.h"
#include "trainer/json_text.h"
#include "trainer/process_life.h"
#include "trainer/transient_fault.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr int kBeatsOfStandstill = 12;
// A lease is written over in place, whole, so each is as long as the others.
constexpr std::size_t kLeaseBytes = 1024;

fs::path lease_file(const fs::path& folder, int number) {
  char name[32];
  std::snprintf(name, sizeof name, "lease.%04d.json", number);
  return folder / name;
}

// Numbers of the leases in the folder; `error` as errno, 0 also where there is no folder.
std::vector<int> lease_numbers(const fs::path& folder, int& error) {
  std::vector<int> numbers;
  error = with_retries([&] {
    numbers.clear();
    std::error_code fault;
    for (fs::directory_iterator it(folder, fault), end; !fault && it != end; it.increment(fault)) {
      int number = 0;
      if (std::sscanf(it->path().filename().c_str(), "lease.%d.json", &number) == 1 && number > 0 &&
          number < std::numeric_limits<int>::max() && it->path() == lease_file(folder, number)) {
        numbers.push_back(number);
      }
    }
    return fault.value() == ENOENT || fault.value() == ENOTDIR ? 0 : fault.value();
  });
  return numbers;
}

int newest_number(const fs::path& folder, int& error) {
  const std::vector<int> numbers = lease_numbers(folder, error);
  return numbers.empty() ? 0 : *std::max_element(numbers.begin(), numbers.end());
}

int newest_number(const fs::path& folder) {
  int error = 0;
  const int number = newest_number(folder, error);
  if (error != 0) throw_unwritable(folder, error);
  return number;
}

// Its errno, or 0.
int read_lease(const fs::path& file, std::string& content) {
  return with_retries([&] {
    const Descriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (descriptor.get() < 0) return errno;
    content.assign(kLeaseBytes, '\0');
    const ssize_t length = pread(descriptor.get(), content.data(), content.size(), 0);
    if (length < 0) return errno;
    content.resize(static_cast<std::size_t>(length));
    return 0;
  });
}

// False where somebody has that number already. Whoever is cut off between making and writing
// leaves a lease that nobody understands, which is stale like any other.
bool make_lease(const fs::path& folder, int number, const std::string& content) {
  const fs::path file = lease_file(folder, number);
  const int made = with_retries([&] {
    return Descriptor(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)).get() < 0
               ? errno
               : 0;
  });
  if (made == EEXIST) return false;
  if (made != 0) throw_unwritable(file, made);
  const int filled = with_retries([&] { return write_over(file, content); });
  if (filled != 0) {
    unlink(file.c_str());
    throw_unwritable(file, filled);
  }
  return true;
}

std::string lease_text(const std::string& token, const ProcessName& process, int64_t beats,
                       bool released) {
  const nlohmann::ordered_json json = {{"token", token},
                                       {"host", process.host},
                                       {"boot", process.boot},
                                       {"pid_namespace", process.pid_namespace},
                                       {"pid", process.pid},
                                       {"started", process.started},
                                       {"heartbeat_seconds", heartbeat_seconds()},
                                       {"beats", beats},
                                       {"released", released}};
  std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize(kLeaseBytes - 1, ' ');
  return text + "\n";
}

// Fills in what the file says; one that cannot be understood may be of a holder that is writing it.
void understand(LeaseLook& look) {
  constexpr double kHeartbeat = 5, kLeast = 0.001, kMost = 3600;
  look.state = LeaseState::kUnknown;
  look.holder = "another process";
  look.heartbeat_seconds = kHeartbeat;
  try {
    const nlohmann::json json = parse_json_object(look.content);
    const ProcessName process = {json.at("host").get<std::string>(),
                                 json.at("boot").get<std::string>(),
                                 json.at("pid_namespace").get<std::string>(),
                                 whole_number(json.at("pid"), 1, std::numeric_limits<pid_t>::max()),
                                 whole_number(json.at("started"))};
    look.heartbeat_seconds = std::clamp(json.at("heartbeat_seconds").get<double>(), kLeast, kMost);
    look.token = json.at("token").get<std::string>();
    look.holder = describe(process);
    const ProcessLife life = life_of(process);
    if (json.at("released").get<bool>() || life == ProcessLife::kGone) {
      look.state = LeaseState::kFree;
    } else if (life == ProcessLife::kRuns) {
      look.state = LeaseState::kHeld;
    }
  } catch (const std::exception&) {
    look.state = LeaseState::kUnknown;
  }
}

}  // namespace

std::string random_token() {
  std::random_device device;
  std::string token;
  for (int i = 0; i < 4; ++i) {
    char part[9];
    std::snprintf(part, sizeof part, "%08x", device());
    token += part;
  }
  return token;
}

LeaseLook look_at_lease(const fs::path& folder) {
  constexpr int kTimes = 8;  // a lease is removed once a later one is there
  for (int i = 0;; ++i) {
    LeaseLook look;
    look.number = newest_number(folder);
    if (look.number == 0) return look;
    const fs::path file = lease_file(folder, look.number);
    const int error = read_lease(file, look.content);
    if (error == ENOENT && i < kTimes) continue;
    // Where it stays so, a client of a shared file system lists what was there a while ago.
    if (error != 0 && error != ENOENT) throw_unwritable(file, error);
    understand(look);
    return look;
  }
}

std::optional<std::string> lease_holder(const fs::path& folder) {
  const LeaseLook look = look_at_lease(folder);
  if (look.state == LeaseState::kFree) return std::nullopt;
  return look.holder;
}

LeaseState LeaseWatch::look() {
  LeaseLook look = look_at_lease(folder_);
  const double now = monotonic_seconds();
  const bool is_known = look.state != LeaseState::kUnknown;
  if (is_known || !has_looked_ || look.number != seen_.number) {
    has_moved_ = false;
    stood_still_seconds_ = 0;
  } else if (look.content != seen_.content) {
    has_moved_ = true;
    stood_still_seconds_ = 0;
  } else {
    // However long this process itself stood still, or waited for the disk.
    stood_still_seconds_ += std::min(now - looked_at_, look.heartbeat_seconds);
  }
  has_looked_ = !is_known;
  looked_at_ = now;
  seen_ = std::move(look);
  if (is_known) return seen_.state;
  if (stood_still_seconds_ >= kBeatsOfStandstill * seen_.heartbeat_seconds) {
    return LeaseState::kStale;
  }
  return has_moved_ ? LeaseState::kHeld : LeaseState::kUnknown;
}

bool end_stale_lease(const fs::path& folder, const LeaseLook& seen) {
  const LeaseLook now = look_at_lease(folder);
  if (now.number != seen.number || now.content != seen.content) return false;
  return make_lease(folder, seen.number + 1,
                    lease_text(random_token(), this_process(), 0, /*released=*/true));
}

void await_free(const std::vector<fs::path>& folders,
                const std::function<void(const std::string&)>& note) {
  std::vector<std::pair<fs::path, LeaseWatch>> watched;
  for (const fs::path& folder : folders) watched.emplace_back(folder, LeaseWatch(folder));
  for (bool told = false;; told = true) {
    double heartbeat = 0;
    std::string waits_for;
    for (auto& [folder, watch] : watched) {
      const LeaseState state = watch.look();
      if (state == LeaseState::kHeld) throw_in_use(folder, watch.seen().holder);
      if (state == LeaseState::kFree) continue;
      if (state == LeaseState::kStale) end_stale_lease(folder, watch.seen());
      heartbeat = std::max(heartbeat, watch.seen().heartbeat_seconds);
      waits_for = folder.string() + ": whether " + watch.seen().holder + " still works on it";
    }
    if (waits_for.empty()) return;
    if (!told && note) {
      note(waits_for + " shows within " +
           std::to_string(static_cast<int>(kBeatsOfStandstill * heartbeat)) + " s; waiting");
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(1.0, heartbeat / 4)));
  }
}

RunLease::RunLease(const fs::path& folder) : folder_(folder), token_(random_token()) {
  std::error_code fault;
  create_folders(folder, fault);
  if (fault) throw_unwritable(folder, fault.value());
  await_free({folder}, {});
  const LeaseLook before = look_at_lease(folder);
  if (before.state != LeaseState::kFree) throw_in_use(folder, before.holder);
  number_ = before.number + 1;
  // A number that was taken and removed again, because a later one is there, is no longer free.
  if (!make_lease(folder, number_, content(false)) || newest_number(folder) != number_) {
    const std::string winner = look_at_lease(folder).holder;
    throw_in_use(folder, winner.empty() ? "another process" : winner);
  }
  int ignored = 0;
  for (const int older : lease_numbers(folder, ignored)) {
    if (older < number_) unlink(lease_file(folder, older).c_str());
  }
  heartbeat_.emplace([this] { beat(); });
}

RunLease::~RunLease() {
  heartbeat_.reset();
  if (lost_ || number_ == 0) return;
  (void)with_retries([this] { return write_over(lease_file(folder_, number_), content(true)); });
}

std::string RunLease::content(bool released) const {
  return lease_text(token_, this_process(), beats_, released);
}

void RunLease::beat() {
  int error = 0;
  if (newest_number(folder_, error) > number_) lost_ = true;
  if (lost_) return;
  ++beats_;
  // A beat that cannot be written is made up for by the next.
  (void)write_over(lease_file(folder_, number_), content(false));
}

void RunLease::check() const {
  const LeaseLook now = look_at_lease(folder_);
  if (now.number == number_ && (now.token == token_ || now.token.empty())) return;
  if (now.number < number_) {
    throw std::runtime_error(folder_.string() + ": the folder was removed while running");
  }
  lost_ = true;
  throw LostLease(folder_.string() + ": " + now.holder + kTakenOver +
                  " while this process stood still; it ends here and writes nothing more");
}

}  // namespace scalelaw
