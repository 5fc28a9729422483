// RUNS/.index: what was read from the store's files, so that a store of ten thousand runs is listed
// without opening them. Only a cache: it may be deleted at any moment.
//
// One line a file: hash of the rest, file below the store, its stamp (inode, size, times), facts.
// A line holds while the file has that stamp. Lines that are torn, of a program with other keys or
// of a file that has gone are as if they were not there. Processes append what they read in one
// write each and take no lock: what one of them loses is read again.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sweeps/status/run_facts.h"

namespace scalelaw {

// Inode, size and times: a file that was written in place, replaced or copied over has another. ""
// where it is not there, with errno.
std::string file_stamp(const std::filesystem::path& file);

class RunIndex {
 public:
  explicit RunIndex(std::filesystem::path runs);  // without a readable index: an empty one

  // What `read` says of RUNS/`file`, or said when the file was the one it is now; nullopt when it
  // is not there. `read` may throw, which keeps nothing.
  std::optional<RunFacts> of(const std::string& file, const std::function<RunFacts()>& read);
  // of() RUNS/`folder`/run.json, through read_run_record.
  std::optional<RunFacts> record_of(const std::string& folder);

  // Appends what was read since. A store that cannot be written stays without.
  void save();

  static std::filesystem::path file_of(const std::filesystem::path& runs) {
    return runs / ".index";
  }

 private:
  void load();
  std::optional<RunFacts> known(const std::string& file, const std::string& stamp) const;
  void compact();

  std::filesystem::path runs_;
  std::string schema_;  // of the facts: a program that knows other keys reads anew
  std::string text_;    // the index as it was read
  std::unordered_map<std::string_view, std::string_view> line_of_;  // of text_: the last of a file
  std::size_t lines_ = 0;
  std::string added_;  // lines to be appended
};

}  // namespace scalelaw
