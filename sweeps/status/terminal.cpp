#include "sweeps/status/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "sweeps/status/text_table.h"

namespace scalelaw {

bool stdout_is_terminal() {
  return isatty(STDOUT_FILENO) != 0;
}

TerminalSize stdout_size() {
  winsize told = {};
  TerminalSize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &told) != 0) return size;
  if (told.ws_row > 0) size.rows = told.ws_row;
  if (told.ws_col > 0) size.columns = told.ws_col;
  return size;
}

void FullScreen::paint(const std::vector<std::string>& lines, const TerminalSize& size) {
  // A character in the last column would be erased with the rest of its line by some terminals.
  const int columns = std::max(1, size.columns - 1);
  const auto rows = static_cast<std::size_t>(std::max(1, size.rows));
  std::string page = std::exchange(is_entered_, true) ? "\033[H" : "\033[?1049h\033[?25l\033[H";
  for (std::size_t i = 0; i < std::min(lines.size(), rows); ++i) {
    page += (i > 0 ? "\r\n" : "") + cut(lines[i], columns) + "\033[K";
  }
  out_ << page << "\033[J" << std::flush;
}

void FullScreen::leave() {
  if (std::exchange(is_entered_, false)) out_ << "\033[?25h\033[?1049l" << std::flush;
}

}  // namespace scalelaw
