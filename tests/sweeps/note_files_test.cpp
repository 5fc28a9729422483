// What several launchers note of one sweep: each in a file of its own, in an order without clocks.
#include "sweeps/status/note_files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "sweeps/status/cell_limits.h"
#include "sweeps/status/sweep_folder.h"
#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const std::string kRun = "12da703ee7a861cb586b4d6e976226ef";

class NoteFiles : public testing::Test {
 protected:
  NoteFiles() {
    plan_.cells.resize(1);
    plan_.cells[0].content_hash = kRun;
  }
  // As another process would, having found notes up to the number before.
  static void note_elsewhere(const fs::path& folder, int64_t number, const Json& content) {
    fs::create_directories(folder);
    Json json = {{"number", number}, {"content_hash", kRun}};
    json.update(content);
    std::ofstream(folder / "elsewhere.jsonl", std::ios::app) << json << "\n";
  }
  void end_elsewhere(int64_t number, const std::string& reason, const std::string& ended_at) {
    note_elsewhere(folder_.unfinished(), number,
                   {{"exit_code", 1}, {"signal", 0}, {"reason", reason}, {"ended_at", ended_at}});
  }
  void end_here(const std::string& reason, const std::string& ended_at) {
    append_unfinished(folder_, {{kRun, {1, 0}, reason, ended_at}});
  }
  std::string last_reason() const { return read_last_unfinished(folder_).at(kRun).reason; }
  void limit_elsewhere(int64_t number, int64_t most_tokens_at_once) {
    note_elsewhere(folder_.limits(), number,
                   {{"most_together", 0}, {"most_tokens_at_once", most_tokens_at_once}});
  }
  int64_t most_tokens_at_once() const {
    return limits_of(read_limits(folder_), plan_.cells[0]).most_tokens_at_once;
  }

  TempDir temp_;
  SweepFolder folder_{temp_.path()};
  Plan plan_;
};

TEST_F(NoteFiles, AProcessWritesToItsOwnFileAlone) {
  limit_elsewhere(1, 32);
  const auto size = fs::file_size(folder_.limits() / "elsewhere.jsonl");
  append_limits(folder_, plan_, {0}, {1, 16});
  forget_limits(folder_, plan_, {0});
  EXPECT_EQ(fs::file_size(folder_.limits() / "elsewhere.jsonl"), size);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.limits()), {}), 2);
  EXPECT_EQ(read_notes(folder_.limits()).size(), 3u);
}

TEST_F(NoteFiles, TheLastIsWhoseWriterKnewTheOthersWhateverTheClocksSay) {
  end_elsewhere(1, "at first", "2026-11-22T12:00:00Z");
  end_here("then", "2026-11-22T11:00:00Z");
  EXPECT_EQ(last_reason(), "then");
  end_elsewhere(3, "at last", "2026-11-22T10:00:00Z");
  EXPECT_EQ(last_reason(), "at last");
  end_elsewhere(2, "beside", "2026-11-22T13:00:00Z");
  EXPECT_EQ(last_reason(), "at last");
  end_elsewhere(3, "beside the last", "2026-11-22T10:00:01Z");
  EXPECT_EQ(last_reason(), "beside the last") << "neither knew of the other";
}

TEST_F(NoteFiles, OfLimitsThoseAreForgottenThatWereKnownThen) {
  limit_elsewhere(1, 16);
  EXPECT_EQ(most_tokens_at_once(), 16);
  forget_limits(folder_, plan_, {0});
  EXPECT_EQ(most_tokens_at_once(), 0);
  limit_elsewhere(2, 32);
  EXPECT_EQ(most_tokens_at_once(), 32) << "noted by one who did not know of the forgetting";
  append_limits(folder_, plan_, {0}, {1, 8});
  EXPECT_EQ(most_tokens_at_once(), 8);
  forget_limits(folder_, plan_, {0});
  EXPECT_EQ(most_tokens_at_once(), 0);
}

TEST_F(NoteFiles, ALineWithoutANumberOrBeyondAllIsNone) {
  for (const char* number : {"0", "-1", "1.5", "1e300", "null", "9007199254740993"}) {
    fs::create_directories(folder_.limits());
    std::ofstream(folder_.limits() / "elsewhere.jsonl", std::ios::app)
        << "{\"number\": " << number << ", \"content_hash\": \"" << kRun
        << "\", \"most_together\": 1, \"most_tokens_at_once\": 8}\n";
  }
  EXPECT_TRUE(read_limits(folder_).empty());
  append_limits(folder_, plan_, {0}, {1, 16});
  EXPECT_EQ(most_tokens_at_once(), 16);
  limit_elsewhere(int64_t{1} << 53, 8);
  EXPECT_THROW(forget_limits(folder_, plan_, {0}), std::runtime_error);
}

}  // namespace
}  // namespace scalelaw
