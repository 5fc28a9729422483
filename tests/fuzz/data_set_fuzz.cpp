// data_set.json beside a true shard, with its hash put right; and what `data inspect` prints of it.
#include <sstream>
#include <vector>

#include "tests/fuzz/fuzz_target.h"
#include "trainer/data/data_report.h"
#include "trainer/data/data_set.h"
#include "trainer/data/manifest.h"
#include "trainer/data/token_shard_writer.h"

namespace scalelaw {
namespace {

// Of the shard that the corpus's data_set.json describes.
void write_shard_once() {
  static const bool written = [] {
    scratch_file("set/data_set.json", "");
    TokenShardInfo info;
    info.n_vocab = 257;
    info.n_documents = 1;
    info.text_bytes = 2;
    info.tokenizer_hash = std::string(32, 'a');
    write_token_shard(scratch_folder() / "set/train.tokens", std::vector<uint32_t>{72, 105, 256},
                      info);
    return true;
  }();
  (void)written;
}

}  // namespace

void read_hostile(std::string_view bytes) {
  write_shard_once();
  std::string text(bytes);
  if (!data_set_file_hash(text).empty()) text = with_data_set_file_hash(text);
  scratch_file("set/data_set.json", text);
  const DataSetInfo set = open_data_set(scratch_folder(), "set");
  (void)build_hash(set);
  std::ostringstream printed;
  print_data_set(printed, set);
  (void)data_set_json(set, /*pieces=*/0);
  for (const char c : printed.str()) {
    require(c == '\n' || static_cast<unsigned char>(c) >= 0x20, "no control character is printed");
  }
}

}  // namespace scalelaw
