// The terminal that a program writes to: its size, and all of it as one page.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace scalelaw {

struct TerminalSize {
  int rows = 24, columns = 80;
  bool operator==(const TerminalSize&) const = default;
};

bool stdout_is_terminal();
TerminalSize stdout_size();  // the default where it is not told

// The alternate screen, without a cursor, from the first page until it is left or destroyed; then
// what was there before is back.
class FullScreen {
 public:
  explicit FullScreen(std::ostream& out) : out_(out) {}
  ~FullScreen() { leave(); }
  FullScreen(const FullScreen&) = delete;
  FullScreen& operator=(const FullScreen&) = delete;

  // In place of what was shown, in one write; cut to `size`.
  void paint(const std::vector<std::string>& lines, const TerminalSize& size);
  void leave();

 private:
  std::ostream& out_;
  bool is_entered_ = false;
};

}  // namespace scalelaw
