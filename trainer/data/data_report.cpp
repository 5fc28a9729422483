#include "trainer/data/data_report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "trainer/data/inspection_report.h"
#include "trainer/data/manifest.h"
#include "trainer/data/verify.h"
#include "trainer/escaped.h"

namespace scalelaw {

namespace {

constexpr int64_t kSampleBytes = 240;

template <typename... Args>
std::string format(const char* pattern, Args... args) {
  char text[256];
  std::snprintf(text, sizeof(text), pattern, args...);
  return text;
}

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string with_commas(int64_t value) {
  std::string text = std::to_string(value);
  for (int64_t at = static_cast<int64_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

nlohmann::json object(const nlohmann::json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_object() ? *it : nlohmann::json::object();
}

// Of counts of which 0 means that they are not known.
std::string count_or_dash(int64_t count) {
  return count > 0 ? with_commas(count) : "-";
}

double real(const nlohmann::json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_number() ? it->get<double>() : 0;
}

int64_t whole(const nlohmann::json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_number_integer() ? it->get<int64_t>() : 0;
}

bool truth(const nlohmann::json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_boolean() && it->get<bool>();
}

std::string text(const nlohmann::json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : "";
}

// What of ids made elsewhere is known, and what that means for their runs.
void print_import(std::ostream& out, const DataSetInfo& set, const nlohmann::json& imported,
                  int64_t files) {
  const int64_t longest = whole(imported, "longest_document_tokens");
  out << "imported from " << with_commas(files) << (files == 1 ? " file" : " files")
      << ", in the order given";
  if (const std::string by = text(imported, "shares_by"); !by.empty()) {
    out << "; shares were cut off by " << escaped(by);
  }
  if (longest > 0) out << "; the longest document has " << with_commas(longest) << " tokens";
  out << "\n";
  if (set.knows_tokenizer_by_name()) {
    out << "the tokenizer is known by name alone: sets compare only where they name the same one "
           "(--tokenizer name:WORD)\n";
  }
  const bool bytes_known = std::all_of(set.splits.begin(), set.splits.end(), [](const auto& split) {
    return split.second.text_bytes > 0;
  });
  if (!bytes_known) {
    out << "bytes of text are not known for every split, and where they are not runs have no "
           "bits_per_byte; --bytes or --tokenizer FILE tells them to runs to come, `scalelaw fit "
           "--bytes` of runs that are complete\n";
  }
}

// What there was of train's start, and where a limit of memory was given what came of it.
void print_tokenizer_sample(std::ostream& out, const nlohmann::json& manifest) {
  const nlohmann::json sample = object(manifest, "tokenizer_sample");
  if (sample.empty()) return;
  const int64_t bytes = whole(sample, "text_bytes");
  out << "tokenizer trained on " << with_commas(bytes) << " bytes, "
      << with_commas(whole(sample, "documents")) << " pieces";
  const int64_t wanted = whole(object(manifest, "options"), "tokenizer_sample_bytes");
  if (manifest.contains("mixture") && bytes < wanted && !truth(sample, "cut_to_fit")) {
    out << ", where a weighted source had no more (of " << with_commas(wanted)
        << " wanted; it repeats none)";
  }
  if (const int64_t limit = whole(sample, "max_memory_bytes"); limit > 0) {
    const int64_t peak = whole(sample, "peak_memory_bytes");
    out << (truth(sample, "cut_to_fit") ? ", cut to fit" : ", not cut by") << " --max-memory "
        << with_commas(limit) << "; the peak was " << with_commas(peak)
        << (peak > limit ? ": over the limit" : "");
  }
  out << "\n";
}

void print_mixture(std::ostream& out, const nlohmann::json& manifest) {
  const nlohmann::json mixture = manifest.value("mixture", nlohmann::json::array());
  if (!mixture.is_array() || mixture.empty()) return;
  out << "train is a mixture by tokens:\nwanted    held        tokens    epochs  source\n";
  double total = 0;
  for (const auto& source : mixture) total += static_cast<double>(whole(source, "tokens"));
  for (const auto& source : mixture) {
    if (!source.is_object()) continue;
    const int64_t tokens = whole(source, "tokens");
    const double epochs = real(source, "epochs");
    out << format("%5.1f%%  %5.1f%% %13s %9.3f  ", 100 * real(source, "share"),
                  total > 0 ? 100 * static_cast<double>(tokens) / total : 0,
                  with_commas(tokens).c_str(), epochs)
        << escaped(text(source, "source")) << (epochs > 1 ? " (repeated)" : "") << "\n";
  }
}

}  // namespace

ProgressPrinter::ProgressPrinter(std::ostream& out, bool terminal)
    : out_(out), terminal_(terminal) {}

ProgressPrinter::~ProgressPrinter() {
  end_stage();
}

void ProgressPrinter::show(const BuildProgress& progress) {
  const Clock::time_point now = Clock::now();
  if (progress.stage != stage_) {
    end_stage();
    stage_ = progress.stage;
    stage_start_ = now;
    printed_ = now;
    if (terminal_) print(progress);
    return;
  }
  if (seconds(now - printed_) < (terminal_ ? 0.1 : 10.0)) return;
  printed_ = now;
  print(progress);
}

void ProgressPrinter::print(const BuildProgress& progress) {
  std::string line = format("%-10s", stage_.c_str());
  const double spent = seconds(Clock::now() - stage_start_);
  const double total_mb = static_cast<double>(progress.total_bytes) / 1e6;
  if (progress.done_bytes > 0 && progress.total_bytes > 0) {
    const double share =
        static_cast<double>(progress.done_bytes) / static_cast<double>(progress.total_bytes);
    line += format(" %3.0f%% of %.1f MB", share * 100, total_mb);
    if (share > 0.01) line += format(", %.0f s left", spent * (1 - share) / share);
  } else if (progress.total_bytes > 0) {
    line += format(" %.1f MB, for %.0f s", total_mb, spent);  // cannot say how far it is
  } else {
    line += format(" %.1f MB so far", static_cast<double>(progress.done_bytes) / 1e6);
  }
  if (terminal_) {
    out_ << '\r' << line << "\033[K" << std::flush;
  } else {
    out_ << line << std::endl;
  }
}

void ProgressPrinter::end_stage() {
  if (stage_.empty()) return;
  out_ << (terminal_ ? "\r" : "")
       << format("%-10s done, %.1f s", stage_.c_str(), seconds(Clock::now() - stage_start_))
       << (terminal_ ? "\033[K" : "") << std::endl;
  stage_.clear();
}

void print_data_set(std::ostream& out, const DataSetInfo& set) {
  out << "data set " << set.name << " in " << escaped(set.folder.string()) << ": tokenizer "
      << escaped(set.tokenizer) << ", " << set.n_vocab << " ids\n";
  out << "split        tokens     pieces    text bytes  bytes/token\n";
  for (const auto& [split, info] : set.splits) {
    const double ratio = static_cast<double>(info.text_bytes) / static_cast<double>(info.n_tokens);
    out << format("%-5s %13s %10s %13s %12s\n", std::string(name(split)).c_str(),
                  with_commas(info.n_tokens).c_str(), count_or_dash(info.n_documents).c_str(),
                  count_or_dash(info.text_bytes).c_str(),
                  info.text_bytes > 0 ? format("%.3f", ratio).c_str() : "-");
  }
  if (set.splits.contains(Split::kTrain) && set.splits.contains(Split::kValidation)) {
    out << "val is for choices (learning rates, shapes): data.test: {" << set.name
        << "/val: TOKENS} reads it, {" << set.name << ": TOKENS} the test split\n";
  }
  const nlohmann::json manifest = read_manifest(set);
  const nlohmann::json counts = object(manifest, "counts");
  const nlohmann::json dropped = object(counts, "dropped");
  if (set.imported) {
    print_import(out, set, object(manifest, "imported"), whole(counts, "files"));
  } else {
    out << "read " << with_commas(whole(counts, "documents")) << " documents from "
        << with_commas(whole(counts, "files")) << " files, the longest of "
        << with_commas(whole(counts, "longest_document_bytes")) << " bytes; "
        << with_commas(whole(counts, "documents_cut")) << " were cut into pieces\n";
  }
  std::string list;
  for (const auto& [what, count] : dropped.items()) {
    if (!count.is_number_integer() || count.get<int64_t>() == 0) continue;
    list += (list.empty() ? "" : ", ") + with_commas(count.get<int64_t>()) + " " + escaped(what);
  }
  for (char& c : list) c = c == '_' ? ' ' : c;
  out << "dropped: " << (list.empty() ? "nothing" : list) << "\n";
  if (const int64_t unknown = whole(counts, "unknown_tokens"); unknown > 0) {
    out << "warning: " << with_commas(unknown)
        << " tokens stand for text that the tokenizer cannot express\n";
  }
  print_tokenizer_sample(out, manifest);
  print_mixture(out, manifest);
  const nlohmann::json overlap = object(manifest, "long_test_lines");
  if (const int64_t lines = whole(overlap, "count"); lines > 0) {
    out << format(
               "test lines of over 20 characters that stand in train: %.1f%% of ",
               100.0 * static_cast<double>(whole(overlap, "in_train")) / static_cast<double>(lines))
        << with_commas(lines) << "\n";
  }
}

void print_result(std::ostream& out, const BuildResult& result, bool as_json) {
  if (as_json) {
    out << data_set_json(result.set, 0) << "\n";
  } else if (result.was_there) {
    out << "data set " << result.set.name << " is already there, in "
        << escaped(result.set.folder.string()) << "\n";
  } else {
    print_data_set(out, result.set);
  }
}

void print_samples(std::ostream& out, const DataSetInfo& set, int64_t pieces) {
  bool parted = true;
  for (const Sample& sample : sample_pieces(set, pieces, kSampleBytes)) {
    out << name(sample.split) << " piece " << sample.piece << " (" << sample.tokens
        << " tokens): " << escaped(sample.start) << "\n";
    parted = parted && sample.parted;
  }
  if (!parted) {
    out << "which id parts documents is not known (`scalelaw data import --eod` or `--bod`): a "
           "split is one piece\n";
  }
}

std::string data_set_json(const DataSetInfo& set, int64_t pieces, const Inspection* inspection) {
  nlohmann::json json = read_manifest(set);
  json["folder"] = set.folder.string();
  if (pieces > 0) {
    nlohmann::json samples = nlohmann::json::array();
    for (const Sample& sample : sample_pieces(set, pieces, kSampleBytes)) {
      samples.push_back({{"split", std::string(name(sample.split))},
                         {"piece", sample.piece},
                         {"tokens", sample.tokens},
                         {"start", sample.start}});
    }
    json["samples"] = samples;
  }
  if (inspection != nullptr) json["inspection"] = inspection_json(set, *inspection);
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace scalelaw
