#include "sweeps/status/run_index.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/descriptor.h"
#include "trainer/folder_lock.h"
#include "trainer/hash.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kIndexVersion = 1;  // of the facts' meaning: another number reads every run anew
constexpr std::size_t kHashDigits = 32;
constexpr std::size_t kSpareLines = 2000;
constexpr uintmax_t kMostBytes = uintmax_t{1} << 30;

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

// Builds facts while nlohmann::json reads their text: ten thousand trees would take longer to make
// and unmake than to read.
struct FactsBuilder : Json::json_sax_t {
  RunFacts facts;

  bool number_integer(number_integer_t value) override { return add(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add(static_cast<double>(value)); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override {
    if (!in_list_) return add(std::move(value));
    list_.push_back(std::move(value));
    return true;
  }
  bool start_object(std::size_t) override { return facts.empty(); }
  bool key(string_t& key) override {
    key_ = std::move(key);
    return true;
  }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return in_list_ = true; }
  bool end_array() override {
    in_list_ = false;
    return add(std::exchange(list_, {}));
  }
  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool binary(binary_t&) override { return false; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool add(Fact fact) {
    facts.emplace_hint(facts.end(), std::move(key_),
                       std::move(fact));  // written in the map's order
    return true;
  }

  std::string key_;
  std::vector<std::string> list_;
  bool in_list_ = false;
};

// HASH \t FILE \t STAMP \t FACTS
std::string line_from(const std::string& schema, const std::string& file, const std::string& stamp,
                      const RunFacts& facts) {
  const std::string rest = file + "\t" + stamp + "\t" +
                           to_json(facts).dump(-1, ' ', false, Json::error_handler_t::replace);
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

std::string file_stamp(const fs::path& file) {
  struct stat s;
  if (::stat(file.c_str(), &s) != 0) return "";
  const auto time = [](const timespec& t) {
    return std::to_string(t.tv_sec) + "." + std::to_string(t.tv_nsec);
  };
  return std::to_string(s.st_ino) + " " + std::to_string(s.st_size) + " " + time(s.st_mtim) + " " +
         time(s.st_ctim);
}

RunIndex::RunIndex(fs::path runs) : runs_(std::move(runs)), schema_(schema_of_facts()) {
  load();
}

void RunIndex::load() {
  line_of_.clear();
  lines_ = 0;
  std::error_code error;
  const uintmax_t bytes = fs::file_size(file_of(runs_), error);
  if (error || bytes > kMostBytes) return;
  try {
    text_ = read_whole_file(file_of(runs_));
  } catch (const std::runtime_error&) {
    return;
  }
  for (std::size_t begin = 0; begin < text_.size();) {
    const std::size_t end = std::min(text_.find('\n', begin), text_.size());
    const std::string_view line = std::string_view(text_).substr(begin, end - begin);
    begin = end + 1;
    if (line.empty()) continue;
    ++lines_;
    if (const std::string_view file = file_in(line); !file.empty()) line_of_[file] = line;
  }
}

std::optional<RunFacts> RunIndex::known(const std::string& file, const std::string& stamp) const {
  const auto found = line_of_.find(file);
  if (found == line_of_.end() || stamp.empty()) return std::nullopt;
  const std::string_view line = found->second, rest = line.substr(kHashDigits + 1);
  const std::size_t after_file = file.size() + 1;
  const std::size_t after_stamp = rest.find('\t', after_file);
  if (rest.substr(after_file, after_stamp - after_file) != stamp) return std::nullopt;
  if (hash_hex(schema_ + std::string(rest)) != line.substr(0, kHashDigits)) return std::nullopt;
  FactsBuilder builder;
  if (!Json::sax_parse(rest.substr(after_stamp + 1), &builder)) return std::nullopt;
  return std::move(builder.facts);
}

std::optional<RunFacts> RunIndex::of(const std::string& file,
                                     const std::function<RunFacts()>& read) {
  const std::string stamp = file_stamp(runs_ / file);
  if (stamp.empty() && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (std::optional<RunFacts> facts = known(file, stamp)) return facts;
  RunFacts facts = read();
  // Of a file that was replaced while it was read nothing is kept.
  if (!stamp.empty() && fits_a_line(file) && file_stamp(runs_ / file) == stamp) {
    added_ += line_from(schema_, file, stamp, facts) + "\n";
    ++lines_;
  }
  return facts;
}

std::optional<RunFacts> RunIndex::record_of(const std::string& folder) {
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
  if (lines_ > 2 * line_of_.size() + kSpareLines) compact();
}

// Down to the last line of each file that is still there.
void RunIndex::compact() {
  load();
  std::string text;
  for (const auto& [file, line] : line_of_) {
    std::error_code error;
    if (fs::exists(runs_ / file, error)) text.append(line).append("\n");
  }
  try {
    write_atomically(file_of(runs_), text);
  } catch (const std::runtime_error&) {
    return;  // the long one serves as well
  }
}

}  // namespace scalelaw
