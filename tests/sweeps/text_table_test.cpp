#include "sweeps/status/text_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace scalelaw {
namespace {

using Lines = std::vector<std::string>;

TEST(Wrapped, LeavesWhatFitsAsItIs) {
  EXPECT_EQ(wrapped("  a:  b", 7), Lines{"  a:  b"});
  EXPECT_EQ(wrapped("", 7), Lines{""});
  EXPECT_EQ(wrapped("größer", 6), Lines{"größer"}) << "characters, not bytes";
}

TEST(Wrapped, BreaksWhereAReaderPauses) {
  EXPECT_EQ(wrapped("now: 3k tokens/s; left: about 3 min", 20),
            (Lines{"now: 3k tokens/s;", "  left: about 3 min"}));
  EXPECT_EQ(wrapped("    | no comma in these words", 20),
            (Lines{"    | no comma in", "      these words"}));
  EXPECT_EQ(wrapped("  lstm_l1w14_d2M-4c9d216115c2: x", 20),
            (Lines{"  lstm_l1w14_d2M-", "    4c9d216115c2: x"}));
}

TEST(Wrapped, LosesNothingButBlanks) {
  const std::string text = "  a: größer; a_word-of/parts withoutanyplacetobreakat, end";
  std::string letters = text;
  std::erase(letters, ' ');
  for (int columns = 1; columns < 70; ++columns) {
    std::string kept;
    for (const std::string& line : wrapped(text, columns)) {
      EXPECT_LE(width(line), columns) << line;
      kept += line;
    }
    std::erase(kept, ' ');
    EXPECT_EQ(kept, letters) << columns;
  }
}

}  // namespace
}  // namespace scalelaw
