#include "trainer/run_lease.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/recorded_syncs.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/transient_fault.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr double kHeartbeat = 0.05, kTimeOut = 12 * kHeartbeat;

class RunLeaseTest : public testing::Test {
 protected:
  RunLeaseTest() { setenv("SCALELAW_HEARTBEAT_SECONDS", "0.05", 1); }
  ~RunLeaseTest() override { unsetenv("SCALELAW_HEARTBEAT_SECONDS"); }

  fs::path lease(int number) const {
    return folder_ / ("lease.000" + std::to_string(number) + ".json");
  }
  nlohmann::json read(int number) const {
    return nlohmann::json::parse(read_whole_file(lease(number)));
  }
  // As another machine would have left it, `beats` ago.
  void leave_foreign_lease(int beats = 0) {
    { const RunLease own(folder_); }
    nlohmann::json json = read(1);
    json["host"] = "node3";
    json["released"] = false;
    json["beats"] = beats;
    std::ofstream(lease(1)) << json;
  }
  // A process that does `work` while the test goes on; 0 where it returned.
  static pid_t start(const std::function<void()>& work) {
    const pid_t child = fork();
    if (child == 0) {
      work();
      _exit(0);
    }
    return child;
  }
  pid_t start_holder() const {
    const pid_t holder = start([this] {
      const RunLease held(folder_);
      for (;;) pause();
    });
    while (!lease_holder(folder_)) usleep(1000);
    return holder;
  }
  static int exit_code(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  TempDir temp_;
  fs::path root_ = temp_.path(), folder_ = root_ / "a run";
};

TEST_F(RunLeaseTest, MakesTheFolderAndIsReleasedAtTheEndOfItsScope) {
  EXPECT_EQ(lease_holder(folder_), std::nullopt);
  EXPECT_FALSE(fs::exists(folder_)) << "a look makes nothing";
  {
    const RunLease held(folder_);
    EXPECT_NE(lease_holder(folder_), std::nullopt);
  }
  EXPECT_EQ(lease_holder(folder_), std::nullopt);
  const RunLease again(folder_);
  EXPECT_FALSE(fs::exists(lease(1)));
  EXPECT_EQ(read(2).at("token"), again.token());
}

TEST_F(RunLeaseTest, FolderThatItMakesIsOnDisk) {
  take_recorded_syncs();
  const RunLease held(folder_ / "inner");
  EXPECT_EQ(take_recorded_syncs(), (std::vector{root_, folder_}));
}

TEST_F(RunLeaseTest, SecondHolderIsRefusedAtOnceAndToldWhoHolds) {
  setenv("SCALELAW_HEARTBEAT_SECONDS", "3600", 1);
  const RunLease first(folder_);
  try {
    const RunLease second(folder_);
    FAIL() << "two leases on one folder";
  } catch (const ConfigError& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find(folder_.string()), std::string::npos) << what;
    EXPECT_NE(what.find("pid " + std::to_string(getpid()) + " on "), std::string::npos) << what;
  }
  EXPECT_NO_THROW(first.check());
}

TEST_F(RunLeaseTest, HolderKilledOnThisMachineCostsNoWaiting) {
  setenv("SCALELAW_HEARTBEAT_SECONDS", "3600", 1);
  const pid_t holder = start_holder();
  EXPECT_THROW(RunLease refused(folder_), ConfigError);
  kill(holder, SIGKILL);
  siginfo_t ended;
  waitid(P_PID, static_cast<id_t>(holder), &ended, WEXITED | WNOWAIT);
  EXPECT_EQ(lease_holder(folder_), std::nullopt) << "its exit code has been taken by nobody";
  EXPECT_EQ(exit_code(holder), -1);
  EXPECT_EQ(lease_holder(folder_), std::nullopt);
  EXPECT_NO_THROW(RunLease taken(folder_));
}

// As one that was killed while another of its threads waits for a disk.
TEST_F(RunLeaseTest, HolderWhoseFirstThreadAloneHasEndedIsNotGone) {
  setenv("SCALELAW_HEARTBEAT_SECONDS", "3600", 1);
  const pid_t holder = fork();
  if (holder == 0) {
    const RunLease lease(folder_);
    std::thread([] {
      for (;;) pause();
    }).detach();
    syscall(SYS_exit, 0);
  }
  const auto state = [&] {
    std::ifstream stat("/proc/" + std::to_string(holder) + "/stat");
    std::string line;
    std::getline(stat, line);
    return line.empty() ? '?' : line.at(line.rfind(')') + 2);
  };
  while (state() != 'Z') usleep(1000);
  EXPECT_NE(lease_holder(folder_), std::nullopt);
  kill(holder, SIGKILL);
  EXPECT_EQ(exit_code(holder), -1);
  EXPECT_EQ(lease_holder(folder_), std::nullopt);
}

TEST_F(RunLeaseTest, NumberOfAProcessThatIsUsedAgainIsAnotherProcess) {
  leave_foreign_lease();
  nlohmann::json json = read(1);
  { const RunLease own(root_ / "other"); }
  const nlohmann::json here =
      nlohmann::json::parse(read_whole_file(root_ / "other" / "lease.0001.json"));
  json["host"] = here["host"];
  std::ofstream(lease(1)) << json;
  EXPECT_NE(lease_holder(folder_), std::nullopt) << "this very process";
  json["started"] = json["started"].get<int64_t>() + 1;
  std::ofstream(lease(1)) << json;
  EXPECT_EQ(lease_holder(folder_), std::nullopt);
}

TEST_F(RunLeaseTest, HolderElsewhereIsWaitedForAndReplacedWhenItsCounterStandsStill) {
  leave_foreign_lease();
  EXPECT_EQ(lease_holder(folder_).value_or("").find("pid "), 0u) << "who cannot know says held";
  const double start = monotonic_seconds();
  const RunLease taken(folder_);
  EXPECT_GE(monotonic_seconds() - start, kTimeOut);
  EXPECT_EQ(read(3).at("token"), taken.token());
}

TEST_F(RunLeaseTest, HolderElsewhereWhoseCounterMovesIsLeftAlone) {
  leave_foreign_lease();
  std::atomic<bool> ended{false};
  std::thread beating([&] {
    nlohmann::json json = read(1);
    for (int beats = 1; !ended; ++beats) {
      json["beats"] = beats;
      std::ofstream(lease(1)) << json;  // in place, as a holder: nothing waits for a disk
      usleep(static_cast<useconds_t>(1e6 * kHeartbeat));
    }
  });
  EXPECT_THROW(RunLease refused(folder_), ConfigError);
  ended = true;
  beating.join();
}

TEST_F(RunLeaseTest, ClocksOfFilesDecideNothing) {
  leave_foreign_lease();
  LeaseWatch watch(folder_);
  EXPECT_EQ(watch.look(), LeaseState::kUnknown);
  const auto set_time = [&](time_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, lease(1).c_str(), times, 0), 0);
  };
  set_time(0);  // half a century old
  EXPECT_EQ(watch.look(), LeaseState::kUnknown);
  const double start = monotonic_seconds();
  LeaseState state = LeaseState::kUnknown;
  while (state == LeaseState::kUnknown) {
    set_time(time_t{4} << 30);  // and now of the next century, and touched again and again
    usleep(5000);
    state = watch.look();
  }
  EXPECT_EQ(state, LeaseState::kStale);
  EXPECT_GE(monotonic_seconds() - start, 0.9 * kTimeOut);
}

TEST_F(RunLeaseTest, ReaderThatStoodStillItselfCountsNoMoreThanAHeartbeat) {
  leave_foreign_lease();
  LeaseWatch watch(folder_);
  EXPECT_EQ(watch.look(), LeaseState::kUnknown);
  usleep(static_cast<useconds_t>(2e6 * kTimeOut));
  EXPECT_EQ(watch.look(), LeaseState::kUnknown);
}

TEST_F(RunLeaseTest, LeaseThatNobodyUnderstandsIsStaleInTime) {
  fs::create_directories(folder_);
  std::ofstream(lease(1)) << "";
  LeaseWatch watch(folder_);
  EXPECT_EQ(watch.look(), LeaseState::kUnknown) << "its holder may be writing it";
  EXPECT_TRUE(end_stale_lease(folder_, watch.seen()));
  EXPECT_NO_THROW(RunLease taken(folder_));
}

// As where a client of a shared file system lists what it saw before another removed it.
TEST_F(RunLeaseTest, LeaseThatIsListedAndNotThereIsHeldUntilTheListIsNew) {
  fs::create_directories(folder_);
  fs::create_symlink("nothing", lease(3));
  EXPECT_EQ(look_at_lease(folder_).state, LeaseState::kUnknown);
  EXPECT_EQ(lease_holder(folder_), "another process");
  LeaseWatch watch(folder_);
  EXPECT_EQ(watch.look(), LeaseState::kUnknown);
  std::ofstream(lease(4)) << "{}";
  fs::remove(lease(3));
  EXPECT_EQ(watch.look(), LeaseState::kUnknown);
  EXPECT_EQ(watch.seen().number, 4);
}

TEST_F(RunLeaseTest, NumbersThatNoLeaseCanHaveAreNotUnderstood) {
  leave_foreign_lease();
  const nlohmann::json good = read(1);
  ASSERT_EQ(look_at_lease(folder_).token, good.at("token"));
  for (const auto& pid : {nlohmann::json(1e300), nlohmann::json(-1), nlohmann::json(4294967297)}) {
    nlohmann::json bad = good;
    bad["pid"] = pid;
    std::ofstream(lease(1)) << bad;
    EXPECT_EQ(look_at_lease(folder_).token, "") << bad;
    EXPECT_EQ(look_at_lease(folder_).state, LeaseState::kUnknown);
  }
  std::ofstream(folder_ / "lease.-001.json") << good;
  std::ofstream(folder_ / "lease.2147483647.json") << good;
  EXPECT_EQ(look_at_lease(folder_).number, 1) << "the next of which there is none";
}

TEST_F(RunLeaseTest, OfManyThatReachForAStaleLeaseOneWins) {
  constexpr int kRounds = 10, kProcesses = 12;
  for (int round = 0; round < kRounds; ++round) {
    fs::remove_all(folder_);
    leave_foreign_lease();
    std::vector<pid_t> racers;
    for (int i = 0; i < kProcesses; ++i) {
      racers.push_back(start([&] {
        try {
          const RunLease won(folder_);
          std::ofstream(root_ / ("won." + std::to_string(getpid()))) << won.token();
          while (!fs::exists(root_ / "all judged")) usleep(1000);
          won.check();
        } catch (const ConfigError&) {
          _exit(kExitBadInput);
        } catch (const std::exception&) {
          _exit(kExitOther);
        }
      }));
    }
    int refused = 0;
    std::map<int, int> exits;
    while (refused < kProcesses - 1) {
      int status = 0;
      if (waitpid(-1, &status, WNOHANG) > 0) {
        ++exits[WEXITSTATUS(status)];
        ++refused;
      } else {
        usleep(1000);
      }
    }
    EXPECT_EQ(exits[kExitBadInput], kProcesses - 1) << "round " << round;
    std::ofstream(root_ / "all judged") << "";
    int status = 0;
    ASSERT_GT(waitpid(-1, &status, 0), 0);
    EXPECT_EQ(WEXITSTATUS(status), 0) << "the winner holds it to the end, round " << round;
    int winners = 0;
    for (const auto& entry : fs::directory_iterator(root_)) {
      winners += entry.path().filename().string().starts_with("won.") ? 1 : 0;
      if (!entry.is_directory()) fs::remove(entry.path());
    }
    EXPECT_EQ(winners, 1) << "round " << round;
  }
}

TEST_F(RunLeaseTest, HolderThatWasSuspendedNoticesThatItWasReplaced) {
  const pid_t holder = start([this] {
    const RunLease held(folder_);
    std::ofstream(root_ / "ready") << "";
    while (!fs::exists(root_ / "go on")) usleep(1000);
    try {
      held.check();
      _exit(0);
    } catch (const LostLease& lost) {
      const std::string what = lost.what();
      const bool is_told = what.find("has taken this run over") != std::string::npos;
      _exit(is_told ? kExitInterrupted : kExitOther);
    }
  });
  while (!fs::exists(root_ / "ready")) usleep(1000);
  kill(holder, SIGSTOP);
  siginfo_t stopped;
  waitid(P_PID, static_cast<id_t>(holder), &stopped, WSTOPPED | WNOWAIT);
  const double start = monotonic_seconds();
  const RunLease taken(folder_);
  EXPECT_GE(monotonic_seconds() - start, 0.9 * kTimeOut);
  const std::string ours = read_whole_file(lease(3)).substr(0, 50);
  kill(holder, SIGCONT);
  std::ofstream(root_ / "go on") << "";
  EXPECT_EQ(exit_code(holder), kExitInterrupted);
  EXPECT_NO_THROW(taken.check());
  EXPECT_EQ(read_whole_file(lease(3)).substr(0, 50), ours);
  EXPECT_FALSE(fs::exists(lease(1)));
}

TEST_F(RunLeaseTest, HeartbeatSeesALossByItself) {
  const RunLease held(folder_);
  EXPECT_FALSE(held.is_lost());
  const int64_t beats = read(1).at("beats");
  while (read(1).at("beats") == beats) usleep(1000);
  std::ofstream(lease(2)) << "";
  const double start = monotonic_seconds();
  while (!held.is_lost() && monotonic_seconds() - start < 30) usleep(1000);
  EXPECT_TRUE(held.is_lost());
}

TEST_F(RunLeaseTest, FolderThatWasRemovedIsNotMadeAgain) {
  const RunLease held(folder_);
  fs::remove_all(folder_);
  EXPECT_THROW(held.check(), std::runtime_error);
  usleep(static_cast<useconds_t>(3e6 * kHeartbeat));
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(RunLeaseTest, ProbingTakesNothing) {
  const pid_t prober = start([this] {
    for (;;) (void)lease_holder(folder_);
  });
  for (int i = 0; i < 500; ++i) EXPECT_NO_THROW(RunLease held(folder_)) << "round " << i;
  kill(prober, SIGKILL);
  EXPECT_EQ(exit_code(prober), -1);
}

TEST_F(RunLeaseTest, FolderThatCannotBeMadeIsAnErrorThatNamesIt) {
  if (getuid() == 0) GTEST_SKIP() << "root may write everywhere";
  ASSERT_EQ(chmod(root_.c_str(), 0500), 0);
  EXPECT_THROW(RunLease held(folder_), ConfigError);
  chmod(root_.c_str(), 0700);
}

TEST_F(RunLeaseTest, HeartbeatThatIsNoTimeIsRefused) {
  setenv("SCALELAW_HEARTBEAT_SECONDS", "soon", 1);
  EXPECT_THROW(RunLease held(folder_), ConfigError);
}

TEST(TransientFault, IsTriedAFewTimesAndOthersOnce) {
  const auto tries_of = [](int error, int failures) {
    int tries = 0;
    const int last = with_retries([&] { return ++tries <= failures ? error : 0; });
    return std::pair(tries, last);
  };
  EXPECT_EQ(tries_of(ESTALE, 2), std::pair(3, 0));
  EXPECT_EQ(tries_of(EIO, std::numeric_limits<int>::max()), std::pair(5, EIO));
  EXPECT_EQ(tries_of(ENOSPC, 2), std::pair(1, ENOSPC));
}

}  // namespace
}  // namespace scalelaw
