#include "sweeps/status/note_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/descriptor.h"
#include "trainer/disk_space.h"
#include "trainer/json_text.h"
#include "trainer/run_lease.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNumber = "number";
constexpr const char* kEnding = ".jsonl";
constexpr int64_t kMostNumber = int64_t{1} << 53;  // that every reader of JSON has exactly

void read_file(const fs::path& file, std::vector<Note>& notes) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    try {
      nlohmann::json json = parse_json_object(line);
      const int64_t number = whole_number(json.at(kNumber), 1, kMostNumber);
      notes.push_back({number, std::move(json)});
    } catch (const std::exception&) {
      continue;
    }
  }
}

int64_t next_number(const fs::path& folder) {
  int64_t greatest = 0;
  for (const Note& note : read_notes(folder)) greatest = std::max(greatest, note.number);
  if (greatest < kMostNumber) return greatest + 1;
  throw std::runtime_error(folder.string() + ": a line of number " + std::to_string(greatest) +
                           " leaves no number for a later one; remove that folder");
}

// As a disk that was full has left it.
bool ends_within_a_line(int descriptor) {
  const off_t length = lseek(descriptor, 0, SEEK_END);
  char last = '\n';
  return length > 0 && pread(descriptor, &last, 1, length - 1) == 1 && last != '\n';
}

}  // namespace

std::vector<Note> read_notes(const fs::path& folder) {
  std::vector<Note> notes;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == kEnding) read_file(it->path(), notes);
  }
  return notes;
}

void append_notes(const fs::path& folder, const std::vector<nlohmann::ordered_json>& contents) {
  static const std::string token = random_token();
  const int64_t number = next_number(folder);
  std::string lines;
  for (const nlohmann::ordered_json& content : contents) {
    nlohmann::ordered_json json = {{kNumber, number}};
    json.update(content);
    // A log may hold bytes that are no UTF-8.
    lines += json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  std::error_code fault;
  create_folders(folder, fault);
  if (fault) throw_disk_error(folder.string(), fault.value());
  const fs::path file = folder / (token + kEnding);
  const Descriptor descriptor(open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
  if (descriptor.get() < 0) throw_disk_error(file.string(), errno);
  if (ends_within_a_line(descriptor.get())) lines.insert(lines.begin(), '\n');
  const ssize_t written = write(descriptor.get(), lines.data(), lines.size());
  if (written < 0) throw_disk_error(file.string(), errno);
  // What of it was written is a line that is cut, which every reader passes over.
  if (written < std::ssize(lines)) throw_disk_error(file.string(), ENOSPC);
}

}  // namespace scalelaw
