#include "sweeps/sweep_folder.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/descriptor.h"
#include "trainer/disk_space.h"
#include "trainer/folder_lock.h"
#include "trainer/json_text.h"

namespace scalelaw {

namespace fs = std::filesystem;

fs::path SweepFolder::cell_config(std::string_view content_hash) const {
  return path / "cells" / (std::string(content_hash.substr(0, 12)) + ".yaml");
}
fs::path SweepFolder::log(std::string_view run_folder) const {
  return path / "logs" / (std::string(run_folder) + ".log");
}

void SweepFolder::prepare() const {
  std::error_code error;
  for (const char* part : {"cells", "logs"}) {
    if (!error) create_folders(path / part, error);
  }
  if (error) throw_unwritable(path, error.value());
  if (access(path.c_str(), W_OK) != 0) throw_unwritable(path, errno);
  for (const fs::path& place : {path.parent_path(), path / "cells"}) {
    remove_drafts(place, std::chrono::hours(1));
  }
}

SweepFolder sweep_folder(const fs::path& runs, std::string_view sweep_name) {
  return {runs / "sweeps" / sweep_name};
}

std::string describe(const ProcessEnd& end) {
  if (end.signal == 0) return "exit " + std::to_string(end.exit_code);
  std::string text = "killed by signal " + std::to_string(end.signal);
  if (const char* what = strsignal(end.signal)) text += " (" + std::string(what) + ")";
  return text + (end.signal == SIGKILL ? ", perhaps for want of memory" : "");
}

bool UnfinishedAttempt::interrupted() const {
  return end.signal == 0 && end.exit_code == kExitInterrupted;
}

// As a disk that was full has left it.
static bool ends_within_a_line(int descriptor) {
  const off_t length = descriptor < 0 ? 0 : lseek(descriptor, 0, SEEK_END);
  char last = '\n';
  return length > 0 && pread(descriptor, &last, 1, length - 1) == 1 && last != '\n';
}

void append_unfinished(const SweepFolder& folder, const UnfinishedAttempt& attempt) {
  const nlohmann::ordered_json json = {
      {"content_hash", attempt.content_hash}, {"exit_code", attempt.end.exit_code},
      {"signal", attempt.end.signal},         {"reason", attempt.reason},
      {"ended_at", attempt.ended_at},         {"log", attempt.log}};
  // A log may hold bytes that are no UTF-8.
  append_lines(folder.unfinished(),
               json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void append_lines(const fs::path& file, std::string lines) {
  const Descriptor descriptor(open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
  if (descriptor.get() < 0) throw_disk_error(file.string(), errno);
  if (ends_within_a_line(descriptor.get())) lines.insert(lines.begin(), '\n');
  const ssize_t written = write(descriptor.get(), lines.data(), lines.size());
  if (written < 0) throw_disk_error(file.string(), errno);
  // What of it was written is a line that is cut, which every reader passes over.
  if (written < std::ssize(lines)) throw_disk_error(file.string(), ENOSPC);
}

std::map<std::string, UnfinishedAttempt> read_last_unfinished(const SweepFolder& folder) {
  std::map<std::string, UnfinishedAttempt> last;
  std::ifstream stream(folder.unfinished());
  for (std::string line; std::getline(stream, line);) {
    try {
      const nlohmann::json json = parse_json_object(line);
      const auto small = [&json](const char* key) {
        return static_cast<int>(whole_number(json.at(key), 0, 255));
      };
      UnfinishedAttempt attempt{json.at("content_hash").get<std::string>(),
                                {small("exit_code"), small("signal")},
                                json.at("reason").get<std::string>(),
                                json.at("ended_at").get<std::string>(),
                                json.value("log", "")};
      last.insert_or_assign(attempt.content_hash, attempt);
    } catch (const std::exception&) {
      continue;
    }
  }
  return last;
}

std::string last_line(const fs::path& file, std::size_t most_bytes) {
  const auto most_read = static_cast<std::streamoff>(most_bytes) + 4096;
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) return "";
  const std::streamoff length = stream.tellg();
  std::string tail(static_cast<std::size_t>(std::min(length, most_read)), '\0');
  stream.seekg(length - static_cast<std::streamoff>(tail.size()));
  stream.read(tail.data(), static_cast<std::streamsize>(tail.size()));

  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!tail.empty() && is_blank(tail.back())) tail.pop_back();
  std::string line = tail.substr(tail.find_last_of("\r\n") + 1);
  // A log must not move the reader's cursor.
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }, ' ');
  if (line.size() > most_bytes) line.resize(most_bytes);
  return line;
}

}  // namespace scalelaw
