#include "trainer/data/inspection_report.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "trainer/data/builder.h"
#include "trainer/data/data_report.h"
#include "trainer/data/import_manifest.h"
#include "trainer/escaped.h"

namespace scalelaw {

namespace {

template <typename... Args>
std::string format(const char* pattern, Args... args) {
  char text[256];
  std::snprintf(text, sizeof(text), pattern, args...);
  return text;
}

double percent(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

// null where there is nothing to divide, or nothing to divide by.
nlohmann::json ratio(int64_t part, int64_t whole) {
  if (part == 0 || whole == 0) return nullptr;
  return static_cast<double>(part) / static_cast<double>(whole);
}

std::string shown(const nlohmann::json& ratio) {
  return ratio.is_null() ? "-" : format("%.3f", ratio.get<double>());
}

}  // namespace

Inspection inspect_with_progress(const DataSetInfo& set) {
  std::optional<Tokenizer> tokenizer;
  if (!set.knows_tokenizer_by_name()) tokenizer = open_tokenizer(set);
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  ProgressPrinter printer(std::cerr, terminal);
  return inspect_data_set(
      set, tokenizer ? &*tokenizer : nullptr, {.document_mark = document_mark(set)},
      [&](int64_t done, int64_t total) {
        // Two bytes a token, as most shards have.
        if (terminal) {
          printer.show({.stage = "inspecting", .done_bytes = 2 * done, .total_bytes = 2 * total});
        }
      });
}

void print_inspection(std::ostream& out, const DataSetInfo& set, const Inspection& inspection) {
  out << "split  tokens/word  tokens/byte  bytes/token  ids used  repeated pieces\n";
  for (const auto& [split, content] : inspection.content) {
    const double repeated = percent(content.repeated_pieces, content.pieces);
    out << format("%-5s %12s %12s %12s %8.1f%% %16s\n", std::string(name(split)).c_str(),
                  shown(ratio(content.tokens, content.words)).c_str(),
                  shown(ratio(content.tokens, content.text_bytes)).c_str(),
                  shown(ratio(content.text_bytes, content.tokens)).c_str(),
                  percent(content.used_ids, set.n_vocab),
                  inspection.knows_pieces ? format("%.2f%%", repeated).c_str() : "-");
  }
  for (const auto& [split, overlap] : inspection.overlap) {
    out << name(split) << " in train: "
        << format("%.3f%% of %lld runs of %lld %s", percent(overlap.runs_in_train, overlap.runs),
                  static_cast<long long>(overlap.runs), static_cast<long long>(kRunWords),
                  inspection.of_words ? "words" : "ids");
    if (overlap.sampled_one_in > 1) {
      out << " (one in " << overlap.sampled_one_in << ", chosen by hash)";
    }
    if (inspection.knows_pieces) {
      out << format(", in %.1f%% of the pieces; %lld pieces whole",
                    percent(overlap.touched_pieces, overlap.pieces),
                    static_cast<long long>(overlap.pieces_in_train));
    }
    out << "\n";
    if (!overlap.example.empty()) out << "  such as: " << escaped(overlap.example) << "\n";
  }
}

nlohmann::json inspection_json(const DataSetInfo& set, const Inspection& inspection) {
  nlohmann::json content = nlohmann::json::object(), overlap = nlohmann::json::object();
  const auto of_pieces = [&](int64_t count) {
    return inspection.knows_pieces ? nlohmann::json(count) : nlohmann::json();
  };
  for (const auto& [split, of] : inspection.content) {
    content[std::string(name(split))] = {{"pieces", of_pieces(of.pieces)},
                                         {"repeated_pieces", of_pieces(of.repeated_pieces)},
                                         {"tokens", of.tokens},
                                         {"used_ids", of.used_ids},
                                         {"used_share", ratio(of.used_ids, set.n_vocab)},
                                         {"text_bytes", of.text_bytes},
                                         {"words", of.words},
                                         {"tokens_per_word", ratio(of.tokens, of.words)},
                                         {"tokens_per_byte", ratio(of.tokens, of.text_bytes)},
                                         {"bytes_per_token", ratio(of.text_bytes, of.tokens)}};
  }
  for (const auto& [split, of] : inspection.overlap) {
    overlap[std::string(name(split))] = {
        {"pieces_in_train", of_pieces(of.pieces_in_train)},
        {"sampled_one_in", of.sampled_one_in},
        {"runs", of.runs},
        {"runs_in_train", of.runs_in_train},
        {"runs_in_train_percent", percent(of.runs_in_train, of.runs)},
        {"pieces", of_pieces(of.pieces)},
        {"touched_pieces", of_pieces(of.touched_pieces)},
        {"example", of.example}};
  }
  return {{"run_length", kRunWords},
          {"run_unit", inspection.of_words ? "word" : "id"},
          {"splits", content},
          {"overlap_with_train", overlap}};
}

}  // namespace scalelaw
