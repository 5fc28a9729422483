#include "sweeps/status/sweep_folder.h"

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
#include <tuple>
#include <utility>

#include "sweeps/status/note_files.h"
#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
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

void append_unfinished(const SweepFolder& folder, const std::vector<UnfinishedAttempt>& attempts) {
  std::vector<nlohmann::ordered_json> lines;
  for (const UnfinishedAttempt& attempt : attempts) {
    lines.push_back({{"content_hash", attempt.content_hash},
                     {"exit_code", attempt.end.exit_code},
                     {"signal", attempt.end.signal},
                     {"reason", attempt.reason},
                     {"ended_at", attempt.ended_at},
                     {"log", attempt.log}});
  }
  append_notes(folder.unfinished(), lines);
}

static UnfinishedAttempt attempt_in(const nlohmann::json& json) {
  const auto small = [&json](const char* key) {
    return static_cast<int>(whole_number(json.at(key), 0, 255));
  };
  return {json.at("content_hash").get<std::string>(),
          {small("exit_code"), small("signal")},
          json.at("reason").get<std::string>(),
          json.at("ended_at").get<std::string>(),
          json.value("log", "")};
}

std::map<std::string, UnfinishedAttempt> read_last_unfinished(const SweepFolder& folder) {
  std::map<std::string, UnfinishedAttempt> last;
  std::map<std::string, int64_t> numbers;
  for (const Note& note : read_notes(folder.unfinished())) {
    try {
      UnfinishedAttempt attempt = attempt_in(note.content);
      UnfinishedAttempt& held = last[attempt.content_hash];
      int64_t& number = numbers[attempt.content_hash];
      if (std::tie(note.number, attempt.ended_at) < std::tie(number, held.ended_at)) continue;
      number = note.number;
      held = std::move(attempt);
    } catch (const std::exception&) {
      continue;
    }
  }
  return last;
}

std::vector<std::string> last_lines(const fs::path& file, std::size_t count,
                                    std::size_t most_bytes) {
  constexpr const char* kLineEnds = "\r\n";
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return {};  // a pipe would be waited for
  const auto most_read = static_cast<std::streamoff>(count * most_bytes) + 4096;
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) return {};
  const std::streamoff length = stream.tellg();
  std::string tail(static_cast<std::size_t>(std::min(length, most_read)), '\0');
  stream.seekg(length - static_cast<std::streamoff>(tail.size()));
  stream.read(tail.data(), static_cast<std::streamsize>(tail.size()));
  const bool is_whole = static_cast<std::streamoff>(tail.size()) == length;

  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  std::vector<std::string> lines;
  while (lines.size() < count) {
    while (!tail.empty() && is_blank(tail.back())) tail.pop_back();
    if (tail.empty()) break;
    const std::size_t line_end = tail.find_last_of(kLineEnds);
    if (line_end == std::string::npos && !is_whole && !lines.empty()) break;
    const std::size_t begin = line_end + 1;
    lines.push_back(shown_line(tail.substr(begin), most_bytes));
    tail.resize(begin);
  }
  std::ranges::reverse(lines);
  return lines;
}

std::string last_line(const fs::path& file, std::size_t most_bytes) {
  std::vector<std::string> lines = last_lines(file, 1, most_bytes);
  return lines.empty() ? "" : std::move(lines.front());
}

std::string shown_line(std::string line, std::size_t most_bytes) {
  // A log must not move the reader's cursor.
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }, ' ');
  if (line.size() > most_bytes) line.resize(most_bytes);
  return line;
}

}  // namespace scalelaw
