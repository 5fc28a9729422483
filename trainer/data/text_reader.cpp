#include "trainer/data/text_reader.h"

#include <archive.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "trainer/config_error.h"
#include "trainer/data/json_line.h"
#include "trainer/data/stored_file.h"
#include "trainer/number.h"
#include "trainer/utf8.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

using Progress = std::function<void(int64_t)>;
using ByteSink = std::function<void(std::string_view)>;

[[noreturn]] void fail(const fs::path& file, int64_t line, const std::string& fault) {
  throw ConfigError(file.string() + ": " +
                    (line > 0 ? "line " + std::to_string(line) + ": " : std::string()) + fault);
}

la_ssize_t next_of_stored(archive*, void* file, const void** chunk) {
  const std::string_view next = static_cast<StoredFile*>(file)->next();
  *chunk = next.data();
  return static_cast<la_ssize_t>(next.size());
}

void read_plain(StoredFile& stored, const ByteSink& sink, const Progress& progress) {
  int64_t done = 0;
  for (std::string_view chunk; !(chunk = stored.next()).empty();) {
    sink(chunk);
    progress(done += static_cast<int64_t>(chunk.size()));
  }
}

void read_compressed(const fs::path& file, StoredFile& stored, const ByteSink& sink,
                     const Progress& progress) {
  const std::unique_ptr<archive, decltype(&archive_read_free)> reader(archive_read_new(),
                                                                      &archive_read_free);
  // Only these filters, no archive format: a foreign file reaches no other parser.
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_filter_zstd(reader.get());
  archive_read_support_format_raw(reader.get());
  archive_entry* entry = nullptr;
  const auto check = [&](la_ssize_t result) {
    if (result >= ARCHIVE_OK) return;
    const char* text = archive_error_string(reader.get());
    fail(file, 0,
         "cannot be unpacked, it is damaged or cut short (" +
             std::string(text == nullptr ? "no reason given" : text) +
             "): fetch it again, or leave it out with --exclude");
  };
  check(archive_read_open(reader.get(), &stored, nullptr, next_of_stored, nullptr));
  check(archive_read_next_header(reader.get(), &entry));
  if (archive_filter_count(reader.get()) < 2) {
    fail(file, 0, "is not compressed, though its suffix says so: rename it, or leave it out");
  }
  std::string chunk(kChunkBytes, '\0');
  for (;;) {
    const la_ssize_t got = archive_read_data(reader.get(), chunk.data(), chunk.size());
    check(got);
    if (got == 0) return;
    sink(std::string_view(chunk.data(), static_cast<std::size_t>(got)));
    progress(archive_filter_bytes(reader.get(), -1));
  }
}

void read_bytes(const SourceFile& source, const ByteSink& sink, const Progress& progress) {
  StoredFile stored(source.path);
  is_compressed(source.path.filename().string())
      ? read_compressed(source.path, stored, sink, progress)
      : read_plain(stored, sink, progress);
  while (!stored.next().empty()) {  // what an unpacker leaves
  }
  stored.check();
  if (!source.hash.empty() && stored.hash() != source.hash) {
    fail(source.path, 0, "changed while it was being read; run the command again");
  }
}

// "1 GiB", or of what is no whole number of MiB "3M bytes".
std::string limit_text(std::size_t bytes) {
  for (const auto& [bits, unit] : {std::pair{30, " GiB"}, {20, " MiB"}}) {
    const std::size_t whole = bytes >> bits;
    if (whole << bits == bytes) return human(static_cast<double>(whole)) + unit;
  }
  return human(static_cast<double>(bytes)) + " bytes";
}

void check_bytes(const fs::path& file, int64_t line, std::size_t bytes, std::size_t most) {
  if (bytes <= most) return;
  fail(file, line,
       "a document of over " + limit_text(most) +
           ": give its parts as files, or as lines of a .jsonl");
}

void check_utf8(const fs::path& file, int64_t line, std::string_view text) {
  const std::size_t at = first_invalid_utf8(text);
  if (at == text.size()) return;
  const int64_t lines =
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  fail(file, line > 0 ? line : lines + 1,
       "byte " + std::to_string(at) +
           (line > 0                                  ? " of the line"
            : is_compressed(file.filename().string()) ? " of the unpacked file"
                                                      : " of the file") +
           " is not UTF-8: convert the file to UTF-8, or leave it out with --exclude");
}

Document parse_line(const fs::path& file, int64_t line, std::string_view content,
                    const std::string& key) {
  check_utf8(file, line, content);
  try {
    return {.text = text_of_json_line(content, key), .line = line};
  } catch (const JsonLineFault& fault) {
    fail(file, line, fault.what());
  }
}

void read_json_lines(const SourceFile& source, const SourceOptions& options,
                     const std::function<void(Document)>& sink, const Progress& progress) {
  const fs::path& file = source.path;
  std::string pending;
  int64_t line = 0;
  const auto take = [&](std::string_view content) {
    check_bytes(file, ++line, content.size(), options.most_document_bytes);
    if (content.find_first_not_of(" \t\r") == std::string_view::npos) return;
    sink(parse_line(file, line, content, options.jsonl_key));
  };
  const auto split = [&](std::string_view chunk) {
    for (std::size_t end; (end = chunk.find('\n')) != std::string_view::npos;
         chunk.remove_prefix(end + 1)) {
      if (pending.empty()) {
        take(chunk.substr(0, end));
      } else {
        pending += chunk.substr(0, end);
        take(pending);
        pending.clear();
      }
    }
    pending += chunk;
    check_bytes(file, line + 1, pending.size(), options.most_document_bytes);
  };
  read_bytes(source, split, progress);
  if (!pending.empty()) take(pending);
}

}  // namespace

void read_documents(const SourceFile& source, const SourceOptions& options,
                    const std::function<void(Document)>& sink,
                    const std::function<void(int64_t)>& progress) {
  if (text_format(source.path.filename().string(), options) == TextFormat::kJsonLines) {
    read_json_lines(source, options, sink, progress);
    return;
  }
  Document document;
  const auto collect = [&](std::string_view chunk) {
    check_bytes(source.path, 0, document.text.size() + chunk.size(), options.most_document_bytes);
    document.text += chunk;
  };
  read_bytes(source, collect, progress);
  check_utf8(source.path, 0, document.text);
  sink(std::move(document));
}

}  // namespace scalelaw
