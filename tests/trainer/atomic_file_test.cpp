#include "trainer/atomic_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "tests/support/recorded_syncs.h"
#include "tests/support/temp_dir.h"
#include "trainer/writable_folder.h"

static bool killed_after_linking = false, renames_replace_only = false;
// In place of the C library's: the moment after it is when a crash would leave two names.
extern "C" int link(const char* from, const char* to) noexcept {
  const int result = linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
  if (killed_after_linking) raise(SIGKILL);
  return result;
}
// How many of the next renames are done, and answered as if the server were away.
static int answers_to_lose = 0;
static bool answer_is_lost() {
  if (answers_to_lose == 0) return false;
  --answers_to_lose;
  errno = EIO;
  return true;
}
// As NFS answers.
extern "C" int renameat2(int from_folder, const char* from, int to_folder, const char* to,
                         unsigned flags) noexcept {
  errno = EINVAL;
  if (renames_replace_only) return -1;
  const auto result =
      static_cast<int>(syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
  return answer_is_lost() ? -1 : result;
}
static int drafts_to_remove = 0;  // by somebody else, before they are renamed
extern "C" int rename(const char* from, const char* to) noexcept {
  if (drafts_to_remove > 0) {
    --drafts_to_remove;
    unlink(from);
  }
  const int result = renameat(AT_FDCWD, from, AT_FDCWD, to);
  return answer_is_lost() ? -1 : result;
}
// A server that was away while a file was read: how many of the next calls fail, and with what.
static int opens_to_fail = 0, reads_to_fail = 0, read_fault = 0;
static bool fails(int& to_fail) {
  if (to_fail == 0) return false;
  --to_fail;
  errno = read_fault;
  return true;
}
// The clock of a server: the time of each file that is made.
static std::optional<std::filesystem::file_time_type> made_at;
extern "C" int open(const char* path, int flags, ...) {
  if (flags == (O_RDONLY | O_CLOEXEC) && fails(opens_to_fail)) return -1;
  va_list more;
  va_start(more, flags);
  const bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  const mode_t mode = makes ? va_arg(more, mode_t) : 0;
  va_end(more);
  const auto descriptor = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  if (makes && descriptor >= 0 && made_at) std::filesystem::last_write_time(path, *made_at);
  return descriptor;
}
extern "C" ssize_t read(int descriptor, void* bytes, size_t size) {
  return fails(reads_to_fail) ? -1 : syscall(SYS_read, descriptor, bytes, size);
}

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

int n_entries(const fs::path& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// A disk that is full after `bytes` of any one file, as far as write() can tell.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_;
  void (*handler_)(int);
};

class AtomicFile : public testing::Test {
 protected:
  TempDir folder_;
  fs::path file_ = folder_.path() / "a file";
};

TEST_F(AtomicFile, AFolderThatTakesNoFilesIsToldBefore) {
  EXPECT_EQ(why_not_writable(folder_.path()), "");
  EXPECT_EQ(why_not_writable(folder_.path() / "not/there/yet"), "");
  EXPECT_EQ(n_entries(folder_.path()), 0) << "nothing is left behind";
  write_atomically(file_, "one");
  EXPECT_EQ(why_not_writable(file_ / "below"), file_.string() + " is not a folder");
  EXPECT_NE(why_not_writable("/proc/runs").find("/proc cannot be written"), std::string::npos);
}

TEST_F(AtomicFile, ALinkThatLeadsNowhereIsToldBefore) {
  const fs::path link = folder_.path() / "link", loop = folder_.path() / "loop";
  fs::create_symlink("gone", link);
  fs::create_symlink("loop", loop);
  for (const fs::path& below : {fs::path(), fs::path("deep/below")}) {
    EXPECT_EQ(why_not_writable(link / below), link.string() + " is a link to nothing");
    EXPECT_EQ(why_not_writable(loop / below), loop.string() + " is a link to itself");
  }
  fs::create_directory(folder_.path() / "gone");
  EXPECT_EQ(why_not_writable(link / "below"), "");
}

TEST_F(AtomicFile, WritesAndReplaces) {
  write_atomically(file_, "one");
  EXPECT_EQ(read_whole_file(file_), "one");
  write_atomically(file_, std::string_view("t\0wo\n", 5));
  EXPECT_EQ(read_whole_file(file_), std::string("t\0wo\n", 5));
  write_atomically(file_, "");
  EXPECT_EQ(read_whole_file(file_), "");
  EXPECT_EQ(n_entries(folder_.path()), 1);
}

TEST_F(AtomicFile, StreamsPiecesOfEverySize) {
  std::string expected;
  write_atomically(file_, [&](std::ostream& stream) {
    for (const std::size_t size : {1, 65535, 65536, 65537, 3, 200000, 0, 7}) {
      const std::string piece(size, static_cast<char>('a' + expected.size() % 26));
      stream << piece;
      stream.put('|');
      expected += piece + '|';
    }
  });
  EXPECT_EQ(read_whole_file(file_), expected);
}

TEST_F(AtomicFile, ObeysUmask) {
  const mode_t before = ::umask(027);
  write_atomically(file_, "x");
  ::umask(before);
  EXPECT_EQ(fs::status(file_).permissions(), static_cast<fs::perms>(0640));
}

TEST_F(AtomicFile, FullDiskLeavesTheOldFileAndNothingElse) {
  write_atomically(file_, "old");
  std::string message;
  {
    const FileSizeLimit limit(100000);
    message = message_of([&] { write_atomically(file_, std::string(300000, 'x')); });
  }
  EXPECT_NE(message.find(file_.string()), std::string::npos) << message;
  EXPECT_NE(message.find("File too large"), std::string::npos) << message;
  EXPECT_EQ(read_whole_file(file_), "old");
  EXPECT_EQ(n_entries(folder_.path()), 1);
}

TEST_F(AtomicFile, FullDiskInTheLastBufferIsNoticed) {
  std::string message;
  {
    const FileSizeLimit limit(10);
    message = message_of(
        [&] { write_atomically(file_, [](std::ostream& stream) { stream << "eleven bytes"; }); });
  }
  EXPECT_NE(message.find("File too large"), std::string::npos) << message;
  EXPECT_EQ(n_entries(folder_.path()), 0);
}

TEST_F(AtomicFile, AWriterThatThrowsLeavesNothing) {
  EXPECT_THROW(write_atomically(file_,
                                [](std::ostream& stream) {
                                  stream << "half";
                                  throw std::logic_error("stop");
                                }),
               std::logic_error);
  EXPECT_EQ(n_entries(folder_.path()), 0);
}

TEST_F(AtomicFile, UnwritableFoldersAreNamed) {
  const fs::path missing = folder_.path() / "none" / "f";
  const std::string message = message_of([&] { write_atomically(missing, "x"); });
  EXPECT_NE(message.find(missing.string() + ": cannot create: No such file"), std::string::npos)
      << message;
  fs::permissions(folder_.path(), fs::perms::owner_read | fs::perms::owner_exec);
  // root may write anywhere: be nobody for a moment.
  const bool root = ::geteuid() == 0;
  if (root && ::seteuid(65534) != 0) GTEST_SKIP() << "root, and cannot become nobody";
  const std::string denied = message_of([&] { write_atomically(file_, "x"); });
  ASSERT_TRUE(!root || ::seteuid(0) == 0);
  fs::permissions(folder_.path(), fs::perms::owner_all);
  EXPECT_NE(denied.find("Permission denied"), std::string::npos) << denied;
}

TEST_F(AtomicFile, AFolderInTheWayIsNotReplaced) {
  fs::create_directory(file_);
  EXPECT_NE(message_of([&] { write_atomically(file_, "x"); }).find("directory"), std::string::npos);
  EXPECT_EQ(n_entries(folder_.path()), 1);
}

TEST_F(AtomicFile, PublishDoesNotOverwrite) {
  EXPECT_TRUE(publish_atomically(file_, "first"));
  EXPECT_FALSE(publish_atomically(file_, "second"));
  EXPECT_EQ(read_whole_file(file_), "first");
  EXPECT_EQ(n_entries(folder_.path()), 1);
  EXPECT_EQ(fs::hard_link_count(file_), 1u);
}

TEST_F(AtomicFile, PublishDoesNotOverwriteWhereRenamesReplaceOnly) {
  renames_replace_only = true;
  EXPECT_TRUE(publish_atomically(file_, "first"));
  EXPECT_FALSE(publish_atomically(file_, "second"));
  renames_replace_only = false;
  EXPECT_EQ(read_whole_file(file_), "first");
  EXPECT_EQ(n_entries(folder_.path()), 1);
  EXPECT_EQ(fs::hard_link_count(file_), 1u);
}

TEST_F(AtomicFile, NoMomentOfPublishingLeavesTwoNames) {
  const pid_t child = fork();
  if (child == 0) {
    killed_after_linking = true;
    publish_atomically(file_, "whole");
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(read_whole_file(file_), "whole");
  EXPECT_EQ(n_entries(folder_.path()), 1);
}

TEST_F(AtomicFile, DraftsThatMayBeAnothersAreLeft) {
  const fs::path old = folder_.path() / ".draft-1", young = folder_.path() / ".draft-2";
  std::ofstream(old) << "x";
  std::ofstream(young) << "x";
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::minutes(61));
  remove_drafts(folder_.path(), std::chrono::hours(1));
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
  remove_drafts(folder_.path());
  EXPECT_EQ(n_entries(folder_.path()), 0);
}

TEST_F(AtomicFile, AFileNameWithoutFolderIsOfTheCurrentFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  write_atomically("plain", "x");
  fs::current_path(before);
  EXPECT_EQ(read_whole_file(folder_.path() / "plain"), "x");
}

TEST_F(AtomicFile, EachFolderThatIsMadeIsOnDiskInTheOneAbove) {
  const fs::path runs = folder_.path() / "runs", run = runs / "a run", inner = run / "attempts";
  take_recorded_syncs();
  create_folders(inner);
  EXPECT_TRUE(fs::is_directory(inner));
  EXPECT_EQ(take_recorded_syncs(), (std::vector{folder_.path(), runs, run}));
  create_folders(inner);
  EXPECT_EQ(take_recorded_syncs(), std::vector<fs::path>{}) << "nothing was made";

  publish_atomically(file_, "x");
  EXPECT_EQ(take_recorded_syncs().back(), folder_.path());
  EXPECT_NE(message_of([&] { create_folders(file_ / "below"); }).find("cannot create: Not a dir"),
            std::string::npos);
}

TEST_F(AtomicFile, AFaultOfTheNetworkThatPassesIsGotOver) {
  fail_next_syncs(2, ESTALE);
  EXPECT_TRUE(publish_atomically(file_, "x"));
  EXPECT_EQ(read_whole_file(file_), "x");
  fail_next_syncs(1, EIO);
  write_atomically(file_, "y");
  EXPECT_EQ(read_whole_file(file_), "y");
  fail_next_syncs(100, EIO);
  EXPECT_NE(message_of([&] { write_atomically(file_, "z"); }).find("cannot sync"),
            std::string::npos);
  fail_next_syncs(0, 0);
  EXPECT_EQ(read_whole_file(file_), "y");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(AtomicFile, ARenameWhoseAnswerWasLostIsDone) {
  answers_to_lose = 1;
  write_atomically(file_, "x");
  EXPECT_EQ(answers_to_lose, 0);
  EXPECT_EQ(read_whole_file(file_), "x");
  answers_to_lose = 1;
  write_atomically(file_, "y");
  EXPECT_EQ(read_whole_file(file_), "y");
  fs::remove(file_);
  answers_to_lose = 2;
  EXPECT_TRUE(publish_atomically(file_, "z"));
  answers_to_lose = 1;
  EXPECT_FALSE(publish_atomically(file_, "another's"));
  answers_to_lose = 0;
  EXPECT_EQ(read_whole_file(file_), "z");
  EXPECT_EQ(n_entries(folder_.path()), 1);
}

TEST_F(AtomicFile, ADraftThatSomebodyRemovedIsWrittenAgain) {
  write_atomically(file_, "old");
  drafts_to_remove = 2;
  write_atomically(file_, "x");
  EXPECT_EQ(read_whole_file(file_), "x");
  drafts_to_remove = 3;
  EXPECT_NE(message_of([&] { write_atomically(file_, "y"); }).find("cannot rename to: No such"),
            std::string::npos);
  EXPECT_EQ(drafts_to_remove, 0);
  EXPECT_EQ(read_whole_file(file_), "x");
  EXPECT_EQ(n_entries(folder_.path()), 1);
}

// As where the server's clock is behind: what is young there is old here.
TEST_F(AtomicFile, DraftsAreOldByTheClockOfTheirFileSystem) {
  const fs::path young = folder_.path() / ".draft-1";
  std::ofstream(young) << "x";
  const auto two_hours_behind = fs::last_write_time(young) - std::chrono::hours(2);
  fs::last_write_time(young, two_hours_behind);
  made_at = two_hours_behind;
  remove_drafts(folder_.path(), std::chrono::hours(1));
  EXPECT_TRUE(fs::exists(young));
  made_at.reset();
  remove_drafts(folder_.path(), std::chrono::hours(1));
  EXPECT_FALSE(fs::exists(young));
  EXPECT_EQ(n_entries(folder_.path()), 0);
}

TEST_F(AtomicFile, AFaultOfTheNetworkThatPassesWhileReadingIsGotOver) {
  const std::string content(10'000, 'x');
  write_atomically(file_, content);
  read_fault = ESTALE;
  opens_to_fail = 2;
  EXPECT_EQ(read_whole_file(file_), content);
  read_fault = EIO;
  reads_to_fail = 3;
  EXPECT_EQ(read_whole_file(file_), content);
  reads_to_fail = 100;
  EXPECT_EQ(message_of([&] { read_whole_file(file_); }),
            file_.string() + ": cannot read: Input/output error");
  EXPECT_EQ(reads_to_fail, 95);
  reads_to_fail = 0;
  read_fault = EACCES;
  opens_to_fail = 1;
  EXPECT_NE(message_of([&] { read_whole_file(file_); }).find("cannot open: Permission denied"),
            std::string::npos);
}

TEST_F(AtomicFile, AFolderWithoutAFolderIsMadeInTheCurrentOne) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  create_folders("plain/");
  fs::current_path(before);
  EXPECT_TRUE(fs::is_directory(folder_.path() / "plain"));
}

TEST_F(AtomicFile, ReadingSaysWhatIsWrong) {
  EXPECT_NE(message_of([&] { read_whole_file(file_); }).find(file_.string() + ": cannot open: No"),
            std::string::npos);
  EXPECT_NE(message_of([&] { read_whole_file(folder_.path()); }).find("directory"),
            std::string::npos);
}

}  // namespace
}  // namespace scalelaw
