// The index may say nothing that the store's files would not say now.
#include "sweeps/status/run_index.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class RunIndexTest : public testing::Test {
 protected:
  RunIndexTest() { fs::create_directories(runs_ / "a"); }

  void write(const std::string& content) { std::ofstream(runs_ / "a/f") << content; }

  // Through an index of its own, as another process would: the facts, and whether the file was
  // read.
  struct Answer {
    std::string text;
    bool was_read;
  };
  Answer ask(const std::string& file = "a/f") {
    RunIndex index(runs_);
    Answer answer{"", false};
    const std::optional<RunFacts> facts = index.of(file, [&] {
      answer.was_read = true;
      return RunFacts{{"text", read_whole_file(runs_ / file)},
                      {"number", 0.1},
                      {"list", std::vector<std::string>{"x\ty", "\n"}}};
    });
    if (facts) {
      answer.text = text_fact(*facts, "text");
      EXPECT_EQ(number_fact(*facts, "number"), 0.1);
      EXPECT_EQ(*fact_of(*facts, "list"), Fact(std::vector<std::string>{"x\ty", "\n"}));
    }
    index.save();
    return answer;
  }

  TempDir temp_;
  fs::path runs_ = temp_.path();
  fs::path file_ = RunIndex::file_of(runs_);
};

TEST_F(RunIndexTest, FileIsReadOnceAndAgainOnceItIsAnother) {
  write("one");
  EXPECT_TRUE(ask().was_read);
  Answer known = ask();
  EXPECT_FALSE(known.was_read);
  EXPECT_EQ(known.text, "one");

  write_atomically(runs_ / "a/f", "two");  // of the same size, by rename
  const Answer renamed = ask();
  EXPECT_TRUE(renamed.was_read);
  EXPECT_EQ(renamed.text, "two");

  // In place, of the same size and with its old time.
  const auto time = fs::last_write_time(runs_ / "a/f");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  write("six");
  fs::last_write_time(runs_ / "a/f", time);
  EXPECT_EQ(ask().text, "six");
  EXPECT_FALSE(ask().was_read);
}

TEST_F(RunIndexTest, FileThatIsGoneOrCannotBeReadIsNotKnown) {
  write("one");
  ask();
  fs::remove(runs_ / "a/f");
  const Answer gone = ask();
  EXPECT_FALSE(gone.was_read);
  EXPECT_EQ(gone.text, "");
  RunIndex index(runs_);
  write("two");
  EXPECT_THROW(index.of("a/f", []() -> RunFacts { throw std::runtime_error("damaged"); }),
               std::runtime_error);
  index.save();
  EXPECT_TRUE(ask().was_read);
}

TEST_F(RunIndexTest, TornForeignOrAlteredIndexIsReadAsIfItWereNotThere) {
  write("one");
  ask();
  const std::string whole = read_whole_file(file_);
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    std::ofstream(file_, std::ios::trunc) << whole.substr(0, length);
    const Answer answer = ask();
    EXPECT_EQ(answer.text, "one") << length;
    EXPECT_FALSE(ask().was_read) << length;  // appended after the torn line
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string altered = whole;
    altered[at] ^= 1;
    std::ofstream(file_, std::ios::trunc) << altered;
    EXPECT_EQ(ask().text, "one") << at;
  }
  for (const std::string& junk :
       {std::string("\0\0\0", 3), std::string("{}"), std::string(500, '\t'), std::string("\n\n\n"),
        std::string(40, 'a') + "\ta/f\t1\t{"}) {
    std::ofstream(file_, std::ios::trunc) << junk;
    EXPECT_EQ(ask().text, "one");
  }
}

TEST_F(RunIndexTest, StoreThatCannotBeIndexedIsReadAllTheSame) {
  write("one");
  fs::create_directory(file_);
  EXPECT_EQ(ask().text, "one");
  EXPECT_EQ(ask().text, "one");
  fs::remove(file_);
  fs::create_symlink(runs_ / "elsewhere", file_);
  EXPECT_EQ(ask().text, "one");
  EXPECT_FALSE(fs::exists(runs_ / "elsewhere"));  // no link is followed
}

TEST_F(RunIndexTest, WritersSideBySideLoseNothingButTime) {
  constexpr int kFiles = 200;
  for (int i = 0; i < kFiles; ++i) std::ofstream(runs_ / ("a/" + std::to_string(i))) << i;
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&] {
      for (int i = 0; i < kFiles; ++i) {
        RunIndex index(runs_);
        const std::string file = "a/" + std::to_string(i);
        const std::optional<RunFacts> facts = index.of(file, [&] {
          return RunFacts{{"text", read_whole_file(runs_ / file)}};
        });
        EXPECT_EQ(text_fact(*facts, "text"), std::to_string(i));
        index.save();
      }
    });
  }
  writers.clear();
  RunIndex index(runs_);
  for (int i = 0; i < kFiles; ++i) {
    const std::optional<RunFacts> facts = index.of("a/" + std::to_string(i), [&]() -> RunFacts {
      ADD_FAILURE() << i << " is not in the index";
      return {};
    });
    EXPECT_EQ(text_fact(*facts, "text"), std::to_string(i));
  }
}

TEST_F(RunIndexTest, FileThatChangesOftenDoesNotGrowTheIndexForEver) {
  constexpr int kChanges = 2100;  // a few more than the lines it has to spare
  for (int i = 0; i < kChanges; ++i) {
    std::ofstream(runs_ / "a/g") << i;
    fs::rename(runs_ / "a/g", runs_ / "a/f");
    EXPECT_EQ(ask().text, std::to_string(i));
  }
  EXPECT_LT(fs::file_size(file_), 200u * 200);
  EXPECT_FALSE(ask().was_read);
}

}  // namespace
}  // namespace scalelaw
