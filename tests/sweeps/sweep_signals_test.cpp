// Stops and crashes of the launcher of a sweep: what signals do to it and to its runs.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "tests/sweeps/sweep_program_fixture.h"
#include "trainer/stop_signals.h"

namespace scalelaw {
namespace {

class SweepSignals : public SweepProgram {
 protected:
  // Starts the sweep of the spec and waits until `count` of its cells run.
  pid_t start_and_wait_for_runs(int64_t count, const std::vector<int>& ignored_signals = {}) {
    const pid_t launcher = start_program(command("run"), output_, ignored_signals);
    wait_until([&] { return running() == count; });
    return launcher;
  }
  std::string output() const { return text_of(output_); }
  void stop(pid_t launcher, int signal) {
    kill(launcher, signal);
    wait_until([&] { return output().find("once more kills") != std::string::npos; });
  }
  // So that the next signal finds the launcher at what it is to disturb.
  void expect_still_stopping(pid_t launcher, int64_t count) const {
    ASSERT_EQ(running(), count) << "this machine is too slow for what the runs take to stop";
    ASSERT_EQ(waitpid(launcher, nullptr, WNOHANG), 0) << output();
  }
  // The next signal is a wish of its own.
  static void let_the_moment_pass() {
    std::this_thread::sleep_for(std::chrono::duration<double>(1.3 * kSecondsOfOneWish));
  }

  fs::path output_ = temp_.path() / "output";
};

TEST_F(SweepSignals, InterruptLetsRunsCheckpointAndTheSameCommandGoesOn) {
  write_spec("[1, 2, 3]");
  behave("1:hang,ok;2:hang,ok");
  for (const int signal : {SIGINT, SIGTERM}) {
    fs::remove_all(runs_);
    fs::remove(output_);
    const pid_t launcher = start_and_wait_for_runs(2);
    kill(launcher, signal);
    EXPECT_EQ(wait_for(launcher).exit_code, 3);
    const std::string text = output();
    EXPECT_NE(text.find("2 runs go on from their checkpoints"), std::string::npos) << text;
    EXPECT_NE(
        text.find("scalelaw sweep run '" + temp_.path().string() + "/a sweep'\\''s file.yaml'"),
        std::string::npos)
        << text;
    EXPECT_EQ(states(), "interrupted interrupted missing");
    const ProgramResult second = run();
    EXPECT_EQ(second.exit_code, 0) << second.output;
    EXPECT_EQ(attempts(0), 2);
  }
}

TEST_F(SweepSignals, SecondInterruptKillsWhatDoesNotEnd) {
  write_spec("[1, 2]");
  behave("1:ignore;2:ignore");
  const pid_t launcher = start_and_wait_for_runs(2);
  stop(launcher, SIGINT);
  let_the_moment_pass();
  EXPECT_EQ(waitpid(launcher, nullptr, WNOHANG), 0) << "it waits for its runs";
  kill(launcher, SIGINT);
  EXPECT_EQ(wait_for(launcher).exit_code, 3);
  EXPECT_EQ(states(), "interrupted interrupted") << "the checkpoint from before is there";
}

TEST_F(SweepSignals, SignalsThatComeTogetherAreOneWishAndLoseNoCheckpoint) {
  write_spec("[1, 2]");
  behave("1:slow,ok;2:slow,ok");
  const pid_t launcher = start_and_wait_for_runs(2);
  stop(launcher, SIGTERM);
  kill(launcher, SIGTERM);
  kill(launcher, SIGINT);
  EXPECT_EQ(wait_for(launcher).exit_code, 3);
  EXPECT_EQ(output().find("killing"), std::string::npos) << output();
  EXPECT_EQ(states(), "interrupted interrupted");
}

TEST_F(SweepSignals, KilledLauncherTakesItsRunsAlongAndTheNextOneGoesOn) {
  write_spec("[1, 2, 3]");
  behave("1:hang,ok;2:hang,ok");
  const pid_t launcher = start_and_wait_for_runs(2);
  kill(launcher, SIGKILL);
  EXPECT_EQ(wait_for(launcher).signal, SIGKILL);
  wait_until([&] { return running() == 0; });
  EXPECT_EQ(states(), "interrupted interrupted missing");
  const ProgramResult second = run();
  EXPECT_EQ(second.exit_code, 0) << second.output;
  EXPECT_EQ(attempts(0), 2);
  EXPECT_EQ(attempts(2), 1);
}

// A supervisor's grace, or an impatient hand: the runs are stopping already and need longer.
TEST_F(SweepSignals, LauncherKilledWhileItStopsCostsNoCheckpoint) {
  write_spec("[1, 2]");
  behave("1:slow,ok;2:slow,ok");
  const pid_t launcher = start_and_wait_for_runs(2);
  stop(launcher, SIGTERM);
  let_the_moment_pass();
  ASSERT_NO_FATAL_FAILURE(expect_still_stopping(launcher, 2));
  kill(launcher, SIGKILL);
  wait_until([&] { return running() == 0; });
  EXPECT_EQ(states(), "interrupted interrupted");
}

TEST_F(SweepSignals, HangUpAfterAnInterruptKillsNothing) {
  write_spec("[1, 2]");
  behave("1:slow,ok;2:slow,ok");
  const pid_t launcher = start_and_wait_for_runs(2);
  stop(launcher, SIGINT);
  let_the_moment_pass();
  ASSERT_NO_FATAL_FAILURE(expect_still_stopping(launcher, 2));
  kill(launcher, SIGHUP);
  EXPECT_EQ(wait_for(launcher).exit_code, 3);
  EXPECT_EQ(output().find("killing"), std::string::npos) << output();
  EXPECT_EQ(states(), "interrupted interrupted");
}

// One that ends before it trains, one that another process completes, one of what follows.
TEST_F(SweepSignals, TheTimeLeftFollowsFromStepsDoneHereAndFromThoseOfStoppedRunsToo) {
  write_spec("[1, 2, 3]");
  const auto lines_with_time_left = [&](const std::string& first) {
    fs::remove_all(runs_);
    behave("1:" + first + ";2:meanwhile;3:starting");
    std::vector<std::string> words = command("run", {"--time-limit", "1s"});
    *std::next(std::ranges::find(words, "--jobs")) = "1";
    const std::string said = run_program(words).output;
    EXPECT_EQ(states(),
              first == "pace" ? "interrupted complete missing" : "missing complete missing");
    return said.find(" left") == std::string::npos ? 0 : 1;
  };
  EXPECT_EQ(lines_with_time_left("starting"), 0) << "nothing was done here";
  EXPECT_EQ(lines_with_time_left("pace"), 1);
}

TEST_F(SweepSignals, NobodyReadingTheOutputStopsNothing) {
  write_spec("[1, 2]");
  behave("1:hang,ok;2:hang,ok");
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t launcher = start_program(command("run"), "/dev/fd/" + std::to_string(ends[1]));
  wait_until([&] { return running() == 2; });  // so that it has opened the pipe
  close(ends[0]);
  close(ends[1]);
  kill(launcher, SIGINT);
  EXPECT_EQ(wait_for(launcher).exit_code, 3);
  EXPECT_EQ(states(), "interrupted interrupted");
}

TEST_F(SweepSignals, NobodyReadingTheOutputMakesNoCompleteSweepAFailure) {
  write_spec("[1]");
  std::vector<std::string> words = {"/bin/sh", "-c",
                                    "code=$0; { sleep 0.2; \"$@\"; echo $? >\"$code\"; } | true",
                                    (temp_.path() / "code").string()};
  for (const std::string& word : command("run")) words.push_back(word);
  words[4] = (fs::path(SCALELAW_BIN_DIR) / words[4]).string();
  ASSERT_EQ(run_program(words).exit_code, 0);
  EXPECT_EQ(text_of(temp_.path() / "code"), "0\n");
  EXPECT_EQ(states(), "complete");
}

TEST_F(SweepSignals, KilledOnDemandIsNoFailureThoughOneCameBefore) {
  write_spec("[1]");
  behave("1:crash,crash,crash,ignore");
  ASSERT_EQ(run().exit_code, 1);
  ASSERT_EQ(states(), "failed");
  const pid_t launcher = start_and_wait_for_runs(1);
  stop(launcher, SIGINT);
  let_the_moment_pass();
  kill(launcher, SIGINT);
  EXPECT_EQ(wait_for(launcher).exit_code, 3);
  EXPECT_EQ(states(), "interrupted");
}

TEST_F(SweepSignals, NextLauncherClearsWhatAKilledOneWasWriting) {
  write_spec("[1]");
  ASSERT_EQ(run().exit_code, 0);
  const std::vector<fs::path> places = {runs_ / "sweeps", runs_ / "sweeps/s/cells"};
  for (const fs::path& place : places) {
    std::ofstream(place / ".draft-old") << "{";
    std::ofstream(place / ".draft-young") << "{";
    fs::last_write_time(place / ".draft-old",
                        fs::file_time_type::clock::now() - std::chrono::hours(2));
  }
  ASSERT_EQ(run().exit_code, 0);
  for (const fs::path& place : places) {
    EXPECT_FALSE(fs::exists(place / ".draft-old")) << place;
    EXPECT_TRUE(fs::exists(place / ".draft-young")) << "perhaps another launcher's";
  }
}

TEST_F(SweepSignals, LauncherThatInheritsIgnoredChildSignalsSeesItsRunsEnd) {
  write_spec("[1, 2, 3]");
  behave("1:crash,ok");
  const pid_t launcher = start_program(command("run"), output_, {SIGCHLD});
  int status = -1;
  wait_until([&] { return status != -1 || waitpid(launcher, &status, WNOHANG) == launcher; });
  if (status == -1) kill(launcher, SIGKILL);
  EXPECT_EQ(status, 0) << output();
  EXPECT_EQ(states(), "complete complete complete");
  EXPECT_EQ(attempts(0), 2);
}

TEST_F(SweepSignals, HangUpStopsASweepButNotOneUnderNohup) {
  write_spec("[1, 2]");
  behave("1:hang;2:hang");
  const pid_t usual = start_and_wait_for_runs(2);
  kill(usual, SIGHUP);
  EXPECT_EQ(wait_for(usual).exit_code, 3);
  EXPECT_NE(output().find("stopping"), std::string::npos) << output();

  fs::remove(output_);
  const pid_t under_nohup = start_and_wait_for_runs(2, {SIGHUP});
  kill(under_nohup, SIGHUP);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(output().find("stopping"), std::string::npos) << output();
  EXPECT_EQ(running(), 2);
  kill(under_nohup, SIGTERM);
  EXPECT_EQ(wait_for(under_nohup).exit_code, 3);
}

// The launcher asks its runs to stop by SIGTERM, and the kernel by SIGUSR1 where it was killed.
TEST_F(SweepSignals, RunsHearTheirLauncherWhateverItWasToldToIgnore) {
  write_spec("[1, 2]");
  behave("1:hang,hang,ok;2:hang,hang,ok");
  for (const int signal : {SIGINT, SIGKILL}) {
    const pid_t launcher = start_and_wait_for_runs(2, {SIGTERM, SIGUSR1});
    kill(launcher, signal);
    wait_until([&] { return running() == 0; });
    ASSERT_EQ(states(), "interrupted interrupted") << strsignal(signal);
    const ProgramResult end = wait_for(launcher);
    EXPECT_EQ(signal == SIGINT ? end.exit_code : end.signal, signal == SIGINT ? 3 : SIGKILL);
  }
  const ProgramResult last = run();
  EXPECT_EQ(last.exit_code, 0) << last.output;
}

TEST_F(SweepSignals, TestsStartProgramsThatHearEveryStopSignal) {
  for (const int number : kStopSignals) {
    const std::vector<std::string> signals_itself = {"/bin/sh", "-c", "kill -\"$0\" $$; exit 4",
                                                     std::to_string(number)};
    const auto before = signal(number, SIG_IGN);
    const pid_t hears = start_program(signals_itself, output_);
    const pid_t ignores = start_program(signals_itself, output_, {number});
    signal(number, before);
    EXPECT_EQ(wait_for(hears).signal, number);
    EXPECT_EQ(wait_for(ignores).exit_code, 4) << strsignal(number);
  }
}

}  // namespace
}  // namespace scalelaw
