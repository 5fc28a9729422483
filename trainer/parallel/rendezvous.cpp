#include "trainer/parallel/rendezvous.h"

#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>
#include <vector>

#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/parallel/gloo_group.h"
#include "trainer/parallel/nccl_group.h"

namespace scalelaw {
namespace {

using StorePointer = c10::intrusive_ptr<c10d::Store>;

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(1000 * seconds));
}

std::string host_name() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

c10::intrusive_ptr<c10d::TCPStore> connect(const std::string& host, int port, bool serves,
                                           double seconds) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(port);
  options.isServer = serves;
  options.waitWorkers = false;
  options.timeout = milliseconds(seconds);
  return c10::make_intrusive<c10d::TCPStore>(host, options);
}

// Rank 0 serves a store on a free port and writes where; the others look for that file.
StorePointer meet_by_file(const Membership& membership, const RendezvousOptions& options) {
  const std::filesystem::path file = options.runs / membership.meeting_file;
  if (membership.rank == 0) {
    const auto store = connect("localhost", 0, true, options.seconds_to_meet);
    create_folders(options.runs);
    write_atomically(file, host_name() + " " + std::to_string(store->getPort()) + "\n");
    return store;
  }
  const double deadline = monotonic_seconds() + options.seconds_to_meet;
  while (!std::filesystem::exists(file)) {
    if (monotonic_seconds() > deadline) throw std::runtime_error(file.string() + " is not there");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  std::istringstream text(read_whole_file(file));
  std::string host;
  int port = 0;
  text >> host >> port;
  return connect(host == host_name() ? "localhost" : host, port, false, options.seconds_to_meet);
}

StorePointer open_store(const Membership& membership, const RendezvousOptions& options) {
  if (!membership.meeting_file.empty()) return meet_by_file(membership, options);
  const bool serves = membership.rank == 0 && !membership.launcher_serves;
  const StorePointer store =
      connect(membership.address, membership.port, serves, options.seconds_to_meet);
  return c10::make_intrusive<c10d::PrefixStore>("scalelaw" + membership.restart, store);
}

std::vector<uint8_t> bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

// What differs between two ranks' credentials; "" when nothing does.
std::string difference(const Credentials& first, const Credentials& other) {
  std::string text;
  for (const auto& [name, value] : first) {
    const auto found = other.find(name);
    const std::string theirs = found == other.end() ? "none" : found->second;
    if (theirs != value)
      text += (text.empty() ? "" : ", ") + name + " " + theirs + ", not " + value;
  }
  return text;
}

struct Meeting {
  bool on_one_machine = true;
  std::string refusal;  // "": all are about the same run
};

Meeting compare_credentials(const StorePointer& store, const Membership& membership,
                            const RendezvousOptions& options) {
  const auto key = [](int rank) { return "rank/" + std::to_string(rank); };
  const nlohmann::json own = {{"host", host_name()}, {"credentials", options.credentials}};
  store->set(key(membership.rank), bytes_of(own.dump()));
  Meeting meeting;
  std::optional<nlohmann::json> first;
  for (int rank = 0; rank < membership.size; ++rank) {
    store->wait({key(rank)}, milliseconds(options.seconds_to_meet));
    const std::vector<uint8_t> text = store->get(key(rank));
    const auto theirs = nlohmann::json::parse(text.begin(), text.end());
    if (!first) first = theirs;
    meeting.on_one_machine = meeting.on_one_machine && theirs.at("host") == first->at("host");
    const std::string differs = difference(first->at("credentials").get<Credentials>(),
                                           theirs.at("credentials").get<Credentials>());
    if (differs.empty() || !meeting.refusal.empty()) continue;
    meeting.refusal = "rank " + std::to_string(rank) + " of " + std::to_string(membership.size) +
                      " (on " + theirs.at("host").get<std::string>() +
                      ") was not started as rank 0: " + differs +
                      "; give all ranks the same program, command and data";
  }
  // Whoever serves the store stays until the others have read.
  const std::string all_have_read = "all have read";
  if (store->add("have read", 1) == membership.size) store->set(all_have_read, bytes_of("yes"));
  if (membership.rank == 0) store->wait({all_have_read}, milliseconds(options.seconds_to_meet));
  return meeting;
}

std::shared_ptr<RankGroup> meet(const Membership& membership, const RendezvousOptions& options) {
  const StorePointer store = open_store(membership, options);
  const Meeting meeting = compare_credentials(store, membership, options);
  if (!meeting.refusal.empty()) throw ConfigError(meeting.refusal);
  GlooOptions gloo;
  gloo.interface = environment_variable("GLOO_SOCKET_IFNAME").value_or("");
  gloo.local = meeting.on_one_machine;
  gloo.seconds_to_answer = options.seconds_to_answer;
  const auto group_on_cpu = [&](const char* name) {
    return make_gloo_group(c10::make_intrusive<c10d::PrefixStore>(name, store), membership.rank,
                           membership.size, gloo);
  };
  if (!options.device.is_cuda()) return group_on_cpu("cpu");
  return make_nccl_group(group_on_cpu("cpu"), group_on_cpu("watch"), options.device);
}

}  // namespace

std::shared_ptr<RankGroup> join_group(const Membership& membership,
                                      const RendezvousOptions& options) {
  const auto lost = [&](const std::string& why) {
    return LostRank("rank " + std::to_string(membership.rank) + " of " +
                    std::to_string(membership.size) + " could not meet the others within " +
                    std::to_string(static_cast<int64_t>(options.seconds_to_meet)) + " s (" +
                    why.substr(0, why.find('\n')) + ")");
  };
  // However it ends: another start of the same job must not find it.
  const std::shared_ptr<void> removal(nullptr, [&](void*) {
    std::error_code ignored;
    if (!membership.meeting_file.empty() && membership.rank == 0) {
      std::filesystem::remove(options.runs / membership.meeting_file, ignored);
    }
  });
  try {
    return meet(membership, options);
  } catch (const ConfigError&) {
    throw;
  } catch (const c10::Error& error) {
    throw lost(error.what_without_backtrace());
  } catch (const std::runtime_error& error) {
    throw lost(error.what());
  }
}

struct MeetingPlace::Store {
  c10::intrusive_ptr<c10d::TCPStore> served;
};

MeetingPlace::MeetingPlace()
    : store_(std::make_unique<Store>(Store{connect("127.0.0.1", 0, true, 60)})) {}
MeetingPlace::~MeetingPlace() = default;

int MeetingPlace::port() const {
  return store_->served->getPort();
}

}  // namespace scalelaw
