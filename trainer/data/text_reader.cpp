#include "trainer/data/text_reader.h"

#include <archive.h>
#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <array>
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
constexpr std::array<std::string_view, 3> kCompressions = {".gz", ".xz", ".zst"};

using Progress = std::function<void(int64_t)>;
using ByteSink = std::function<void(std::string_view)>;

[[noreturn]] void fail(const fs::path& file, int64_t line, const std::string& fault) {
  throw ConfigError(file.string() + ": " +
                    (line > 0 ? "line " + std::to_string(line) + ": " : std::string()) + fault);
}

enum class Format { kText, kJsonLines, kOther };

bool is_compressed(const std::string& file_name) {
  return std::any_of(kCompressions.begin(), kCompressions.end(),
                     [&](std::string_view suffix) { return file_name.ends_with(suffix); });
}

Format format_of(std::string file_name, const SourceOptions& options) {
  for (const std::string_view suffix : kCompressions) {
    if (file_name.ends_with(suffix)) {
      file_name.resize(file_name.size() - suffix.size());
      break;
    }
  }
  if (file_name.ends_with(".jsonl")) return Format::kJsonLines;
  for (const std::string& suffix : options.text_suffixes) {
    if (file_name.ends_with(suffix)) return Format::kText;
  }
  return Format::kOther;
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

void add_file(const fs::path& path, std::string label, bool named, const SourceOptions& options,
              SourceList& list) {
  if (format_of(path.filename().string(), options) == Format::kOther) {
    if (!named) {
      ++list.other_files;
      return;
    }
    std::string suffixes = ".jsonl";
    for (const std::string& suffix : options.text_suffixes) suffixes += " " + suffix;
    fail(path, 0,
         "is of a kind that is not read (" + suffixes +
             ", each also with .gz .xz .zst); --text-suffix, once for each, names others in "
             "place of .txt");
  }
  const bool excluded =
      std::any_of(options.exclude.begin(), options.exclude.end(), [&](const std::string& pattern) {
        return ::fnmatch(pattern.c_str(), label.c_str(), 0) == 0;
      });
  if (excluded) {
    ++list.excluded_files;
    return;
  }
  list.files.push_back({.path = path,
                        .label = std::move(label),
                        .bytes = static_cast<int64_t>(fs::file_size(path))});
}

void add_folder(const fs::path& folder, const SourceOptions& options, SourceList& list) {
  const fs::path base = fs::absolute(folder).lexically_normal();
  const fs::path root = base.has_filename() ? base.filename() : base.parent_path().filename();
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file()) continue;
    const fs::path label = root / it->path().lexically_relative(folder);
    add_file(it->path(), label.generic_string(), false, options, list);
  }
  if (error) fail(folder, 0, "cannot be searched: " + error.message());
}

void add_glob(const std::string& pattern, const SourceOptions& options, SourceList& list) {
  glob_t matches{};
  const int result = ::glob(pattern.c_str(), 0, nullptr, &matches);
  const std::unique_ptr<glob_t, decltype(&::globfree)> owner(&matches, &::globfree);
  if (result != 0) fail(pattern, 0, "is not there, and no pattern that matches a file");
  for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
    const fs::path path = matches.gl_pathv[i];
    if (fs::is_directory(path)) {
      add_folder(path, options, list);
    } else {
      add_file(path, path.filename().string(), false, options, list);
    }
  }
}

void add_source(const std::string& source, const SourceOptions& options, SourceList& list) {
  std::error_code ignored;
  if (fs::is_directory(source, ignored)) {
    add_folder(source, options, list);
  } else if (fs::is_regular_file(source, ignored)) {
    add_file(source, fs::path(source).filename().string(), true, options, list);
  } else {
    add_glob(source, options, list);
  }
}

}  // namespace

SourceList find_sources(const std::vector<std::string>& sources, const SourceOptions& options) {
  SourceList list;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::size_t before = list.files.size();
    try {
      add_source(sources[i], options, list);
    } catch (const fs::filesystem_error& error) {  // a loop of links, a folder that is closed
      fail(error.path1(), 0, "cannot be read: " + error.code().message());
    }
    for (std::size_t of = before; of < list.files.size(); ++of) {
      list.files[of].source = static_cast<int>(i);
    }
  }
  if (list.files.empty()) {
    throw ConfigError("no file to read in " + (sources.empty() ? "no source" : sources.front()) +
                      ": " + std::to_string(list.other_files) + " of other kinds, " +
                      std::to_string(list.excluded_files) + " excluded");
  }
  std::sort(list.files.begin(), list.files.end(), [](const SourceFile& a, const SourceFile& b) {
    return std::tie(a.label, a.path, a.source) < std::tie(b.label, b.path, b.source);
  });
  return list;
}

void hash_sources(SourceList& list, int64_t& done_bytes, const Progress& progress) {
  for (SourceFile& file : list.files) {
    StoredFile stored(file.path);
    file.bytes = 0;
    for (std::string_view chunk; !(chunk = stored.next()).empty();) {
      file.bytes += static_cast<int64_t>(chunk.size());
      progress(done_bytes += static_cast<int64_t>(chunk.size()));
    }
    stored.check();
    file.hash = stored.hash();
  }
}

void read_documents(const SourceFile& source, const SourceOptions& options,
                    const std::function<void(Document)>& sink,
                    const std::function<void(int64_t)>& progress) {
  if (format_of(source.path.filename().string(), options) == Format::kJsonLines) {
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
