#include "tests/support/rank_processes.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "trainer/parallel/rendezvous.h"

namespace scalelaw {
namespace {

int run_rank(int rank, int size, const std::filesystem::path& folder,
             const std::function<void(RankGroup&)>& body) {
  std::signal(SIGPIPE, SIG_IGN);  // of a peer that is gone: as program_exit.h has it
  try {
    Membership membership;
    membership.rank = rank;
    membership.size = size;
    membership.meeting_file = "meeting";
    RendezvousOptions options;
    options.runs = folder;
    const auto group = join_group(membership, options);
    body(*group);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d: %s\n", rank, error.what());
    return 1;
  }
  return testing::Test::HasFailure() ? 1 : 0;
}

}  // namespace

std::vector<int> run_ranks(int size, const std::filesystem::path& folder,
                           const std::function<void(RankGroup&)>& body) {
  std::vector<pid_t> processes;
  for (int rank = 0; rank < size; ++rank) {
    const pid_t process = fork();
    if (process == 0) _exit(run_rank(rank, size, folder, body));
    processes.push_back(process);
  }
  std::vector<int> ends;
  for (const pid_t process : processes) {
    int status = 0;
    waitpid(process, &status, 0);
    ends.push_back(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  }
  return ends;
}

}  // namespace scalelaw
