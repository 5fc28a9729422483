#include "trainer/data/stored_file.h"

#include <cerrno>
#include <cstring>
#include <span>
#include <stdexcept>

#include "trainer/config_error.h"

namespace scalelaw {

StoredFile::StoredFile(const std::filesystem::path& file)
    : file_(file), in_(file, std::ios::binary), chunk_(std::size_t{1} << 20, '\0') {
  if (!in_) throw ConfigError(file.string() + ": cannot be opened: " + std::strerror(errno));
}

std::string_view StoredFile::next() {
  in_.read(chunk_.data(), static_cast<std::streamsize>(chunk_.size()));
  const std::string_view read(chunk_.data(), static_cast<std::size_t>(in_.gcount()));
  hasher_.add(std::as_bytes(std::span(read)));
  return read;
}

void StoredFile::check() const {
  if (in_.bad()) throw std::runtime_error(file_.string() + ": cannot be read");
}

}  // namespace scalelaw
