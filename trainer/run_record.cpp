#include "trainer/run_record.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string_view>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/run_digests.h"
#include "trainer/run_record_json.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

std::string numbered(const char* format, int number) {
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), format, number);
  return text.data();
}

// Bytes that are no UTF-8 (a host's or file's name) become U+FFFD.
std::string text_of(const nlohmann::ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The lines of one metrics file; a last line that a crash cut short is left out.
std::vector<MetricsRow> read_rows(const fs::path& file) {
  const std::string text = read_whole_file(file);
  std::vector<MetricsRow> rows;
  std::size_t begin = 0;
  for (int line = 1; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    try {
      if (end > begin) rows.push_back(metrics_row_from_json(text.substr(begin, end - begin)));
    } catch (const std::exception& error) {
      if (end + 1 < text.size()) {
        throw std::runtime_error(file.string() + ":" + std::to_string(line) + ": " + error.what());
      }
    }
    begin = end + 1;
  }
  return rows;
}

std::vector<MetricsRow> merge_parts(const RunFolder& folder, const std::vector<int>& numbers,
                                    const std::vector<Attempt>& attempts) {
  std::vector<MetricsRow> merged;
  for (const int number : numbers) {
    const std::vector<MetricsRow> rows = read_rows(folder.metrics_part(number));
    const auto attempt = std::find_if(attempts.begin(), attempts.end(),
                                      [&](const Attempt& a) { return a.number == number; });
    // The row at first_step describes the checkpoint that the attempt began from: still true.
    if (attempt != attempts.end()) {
      std::erase_if(merged, [&](const MetricsRow& row) { return row.step > attempt->first_step; });
    }
    if (!rows.empty()) {
      std::erase_if(merged, [&](const MetricsRow& row) { return row.step >= rows.front().step; });
    }
    merged.insert(merged.end(), rows.begin(), rows.end());
  }
  return merged;
}

std::vector<MetricsRow> merge_parts(const RunFolder& folder) {
  return merge_parts(folder, metrics_part_numbers(folder), read_attempts(folder));
}

}  // namespace

double bits_per_byte(const TestResult& result) {
  if (!result.split_tokens || result.text_bytes.value_or(0) <= 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return result.loss_nats / std::numbers::ln2 * static_cast<double>(*result.split_tokens) /
         static_cast<double>(*result.text_bytes);
}

fs::path RunFolder::metrics_part(int attempt) const {
  return path / numbered("metrics.%04d.jsonl", attempt);
}

fs::path RunFolder::attempt_file(int attempt) const {
  return attempts() / numbered("%04d.json", attempt);
}

RunRecord read_run_record(const RunFolder& folder) {
  const std::string text = read_whole_file(folder.record());
  try {
    RunRecord record = parse_json(text).get<RunRecord>();
    if (!has_own_hash(text)) {
      throw std::runtime_error("it was altered after it was written (record_hash differs)");
    }
    return record;
  } catch (const OtherVersion& error) {
    throw ConfigError(folder.record().string() + ": " + error.what());
  } catch (const std::exception& error) {
    throw ConfigError(folder.record().string() + ": is damaged: " + error.what() +
                      "; restore it from a copy, or remove this file and train the run again: it "
                      "goes on from its last "
                      "checkpoint where that was kept whole (how.keep)");
  }
}

std::optional<RunRecord> try_read_run_record(const RunFolder& folder) {
  std::error_code error;
  const bool is_there = fs::exists(folder.record(), error);
  if (error) throw ConfigError(folder.record().string() + ": " + error.message());
  if (!is_there) return std::nullopt;
  return read_run_record(folder);
}

std::vector<int> metrics_part_numbers(const RunFolder& folder) {
  std::vector<int> numbers;
  for (const auto& entry : fs::directory_iterator(folder.path)) {
    const std::string name = entry.path().filename().string();
    int number = 0;
    if (std::sscanf(name.c_str(), "metrics.%d.jsonl", &number) == 1 &&
        entry.path() == folder.metrics_part(number)) {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<Attempt> read_attempts(const RunFolder& folder, std::vector<fs::path>* damaged) {
  std::vector<Attempt> attempts;
  if (!fs::exists(folder.attempts())) return attempts;
  for (const auto& entry : fs::directory_iterator(folder.attempts())) {
    const std::string name = entry.path().filename().string();
    // A draft that a crash left is no attempt.
    if (name.starts_with('.') || entry.path().extension() != ".json") continue;
    const std::string text = read_whole_file(entry.path());
    try {
      attempts.push_back(parse_json(text).get<Attempt>());
    } catch (const std::exception&) {
      if (damaged != nullptr) damaged->push_back(entry.path());
    }
  }
  std::sort(attempts.begin(), attempts.end(),
            [](const Attempt& a, const Attempt& b) { return a.number < b.number; });
  return attempts;
}

std::vector<MetricsRow> read_metrics(const RunFolder& folder) {
  // Until run.json is there, metrics.jsonl may be older than the parts.
  const bool merged = fs::exists(folder.merged_metrics()) && fs::exists(folder.record());
  return merged ? read_rows(folder.merged_metrics()) : merge_parts(folder);
}

std::optional<std::vector<MetricsRow>> merged_parts(const RunFolder& folder,
                                                    const RunRecord& record) {
  std::vector<int> numbers = metrics_part_numbers(folder);
  // Of a process that took the folder at the moment of publishing.
  std::erase_if(numbers, [&](int number) {
    return record.attempts.empty() || number > record.attempts.back().number;
  });
  if (numbers.empty()) return std::nullopt;
  return merge_parts(folder, numbers, record.attempts);
}

std::string to_json(const RunRecord& record) {
  return with_record_hash(text_of(record, 2) + "\n");
}

std::string to_json_line(const MetricsRow& row) {
  return text_of(row, -1);
}

MetricsRow metrics_row_from_json(const std::string& line) {
  return parse_json(line).get<MetricsRow>();
}

void write_attempt(const RunFolder& folder, const Attempt& attempt) {
  create_folders(folder.attempts());
  const fs::path file = folder.attempt_file(attempt.number);
  if (!publish_atomically(file, text_of(attempt, 2) + "\n")) {
    throw std::runtime_error(file.string() + ": this attempt is already there");
  }
}

bool publish(const RunFolder& folder, const RunRecord& record, const std::function<void()>& check) {
  if (fs::exists(folder.record())) return false;
  std::string lines;
  for (const MetricsRow& row : merge_parts(folder)) lines += to_json_line(row) + "\n";
  check();
  write_atomically(folder.merged_metrics(), lines);
  check();
  RunRecord published = record;
  published.files = digests_of_results(folder, record.steps, lines);
  return publish_atomically(folder.record(), to_json(published));
}

}  // namespace scalelaw
