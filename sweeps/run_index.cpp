#include "sweeps/run_index.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/descriptor.h"
#include "trainer/hash.h"
#include "trainer/run_lock.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kIndexVersion = 1;  // of the facts' meaning: another number reads every run anew
constexpr std::size_t kHashDigits = 32;
constexpr std::size_t kSpareLines = 2000;
constexpr uintmax_t kMostBytes = uintmax_t{1} << 30;

// "" where it is not there. Times and inode: a file that was written in place, replaced or copied
// over has another.
std::string stamp_of(const fs::path& file) {
  struct stat s;
  if (::stat(file.c_str(), &s) != 0) return "";
  const auto time = [](const timespec& t) {
    return std::to_string(t.tv_sec) + "." + std::to_string(t.tv_nsec);
  };
  return std::to_string(s.st_ino) + " " + std::to_string(s.st_size) + " " + time(s.st_mtim) + " " +
         time(s.st_ctim);
}

std::string schema_of_facts() {
  std::string text = std::to_string(kIndexVersion);
  for (const FilterKey& key : fact_keys()) text += "\n" + key.name;
  return hash_hex(text);
}

Json to_json(const RunFacts& facts) {
  Json json = Json::object();
  for (const auto& [key, fact] : facts) {
    std::visit([&, &name = key](const auto& value) { json[name] = value; }, fact);
  }
  return json;
}

RunFacts facts_from(const Json& json) {
  RunFacts facts;
  for (const auto& [key, value] : json.get_ref<const Json::object_t&>()) {  // in the map's order
    Fact fact;
    if (value.is_number()) {
      fact = value.get<double>();
    } else if (value.is_string()) {
      fact = value.get_ref<const std::string&>();
    } else {
      fact = value.get<std::vector<std::string>>();
    }
    facts.emplace_hint(facts.end(), key, std::move(fact));
  }
  return facts;
}

// HASH \t FILE \t STAMP \t FACTS
std::string line_of(const std::string& schema, const std::string& file, const std::string& stamp,
                    const RunFacts& facts) {
  const std::string rest =
      file + "\t" + stamp + "\t" + to_json(facts).dump(-1, ' ', false, Json::error_handler_t::replace);
  return hash_hex(schema + rest) + "\t" + rest;
}

std::string_view file_in(std::string_view line) {
  if (line.size() <= kHashDigits || line[kHashDigits] != '\t') return {};
  const std::string_view rest = line.substr(kHashDigits + 1);
  const std::size_t end = rest.find('\t');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

bool fits_a_line(const std::string& file) {
  return std::ranges::none_of(file, [](char c) { return c == '\t' || c == '\n'; });
}

}  // namespace

RunIndex::RunIndex(fs::path runs) : runs_(std::move(runs)), schema_(schema_of_facts()) {
  load();
}

void RunIndex::load() {
  std::error_code error;
  const uintmax_t bytes = fs::file_size(file_of(runs_), error);
  if (error || bytes > kMostBytes) return;
  std::string text;
  try {
    text = read_whole_file(file_of(runs_));
  } catch (const std::runtime_error&) {
    return;
  }
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    if (line.empty()) continue;
    ++lines_;
    const std::string_view file = file_in(line);
    if (!file.empty()) known_[std::string(file)].line = line;
  }
}

// What a line says is looked at only once it is asked for.
bool RunIndex::take_from_line(Known& known, const std::string& stamp) const {
  const std::string line = std::exchange(known.line, "");
  const std::string_view rest = std::string_view(line).substr(std::min(line.size(), kHashDigits + 1));
  const std::size_t file_end = rest.find('\t');
  const std::size_t facts = rest.find('\t', file_end + 1);
  if (facts == std::string_view::npos) return false;
  if (rest.substr(file_end + 1, facts - file_end - 1) != stamp) return false;
  if (hash_hex(schema_ + std::string(rest)) != line.substr(0, kHashDigits)) return false;
  try {
    known.facts = facts_from(Json::parse(rest.substr(facts + 1)));
  } catch (const Json::exception&) {
    return false;
  }
  known.stamp = stamp;
  return true;
}

const RunFacts* RunIndex::of(const std::string& file, const std::function<RunFacts()>& read) {
  const std::string stamp = stamp_of(runs_ / file);
  if (stamp.empty() && (errno == ENOENT || errno == ENOTDIR)) return nullptr;
  Known& known = known_[file];
  if (!stamp.empty()) {
    if (known.stamp == stamp) return &known.facts;
    if (!known.line.empty() && take_from_line(known, stamp)) return &known.facts;
  }
  known.stamp.clear();
  known.facts = read();
  // Of a file that was replaced while it was read nothing is kept.
  if (!stamp.empty() && stamp_of(runs_ / file) == stamp) {
    known.stamp = stamp;
    if (fits_a_line(file)) {
      added_ += line_of(schema_, file, stamp, known.facts) + "\n";
      ++lines_;
    }
  }
  return &known.facts;
}

const RunFacts* RunIndex::record_of(const std::string& folder) {
  const RunFolder run{runs_ / folder};
  return of(folder + "/run.json", [&] { return record_facts(read_run_record(run)); });
}

void RunIndex::save() {
  if (added_.empty()) return;
  // After a line that a crash cut short.
  const std::string text = "\n" + std::exchange(added_, "");
  const Descriptor index(
      ::open(file_of(runs_).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (index.get() < 0) return;
  write_all(index.get(), std::as_bytes(std::span(text)));
  if (lines_ > 2 * known_.size() + kSpareLines) compact();
}

void RunIndex::compact() {
  std::string text;
  for (const auto& [file, known] : known_) {
    std::error_code error;
    if (!fits_a_line(file) || !fs::exists(runs_ / file, error)) continue;
    if (!known.line.empty()) {
      text += known.line + "\n";
    } else if (!known.stamp.empty()) {
      text += line_of(schema_, file, known.stamp, known.facts) + "\n";
    }
  }
  try {
    write_atomically(file_of(runs_), text);
  } catch (const std::runtime_error&) {
    return;  // the long one serves as well
  }
}

}  // namespace scalelaw
