// The cursor in a checkpoint's metadata.
#include "tests/fuzz/fuzz_target.h"
#include "trainer/training_cursor.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const TrainingCursor cursor = cursor_from_text(std::string(bytes));
  require(cursor.pack_step() >= cursor.step, "a pack is not behind its run");
  const std::string written = to_text(cursor);
  require(to_text(cursor_from_text(written)) == written,
          "a cursor that was written reads back the same");
}

}  // namespace scalelaw
