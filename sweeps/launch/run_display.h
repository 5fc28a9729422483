// What a person sees while a sweep runs: on a terminal one table that is redrawn in place, under
// the lines of what ended; elsewhere the lines alone.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "sweeps/status/sweep_view.h"
#include "sweeps/status/terminal.h"

namespace scalelaw {

class RunDisplay {
 public:
  // The table is cut to fit `size`.
  RunDisplay(std::ostream& out, bool is_terminal, TerminalSize size)
      : out_(out), is_terminal_(is_terminal), size_(size) {}
  ~RunDisplay() { close(); }
  RunDisplay(const RunDisplay&) = delete;
  RunDisplay& operator=(const RunDisplay&) = delete;

  void line(const std::string& text);  // stays
  void show(const SweepView& view);    // replaces the table; nothing off a terminal
  void close();                        // takes the table away
  bool is_terminal() const { return is_terminal_; }

 private:
  void clear();

  std::ostream& out_;
  bool is_terminal_;
  TerminalSize size_;
  int drawn_ = 0;  // lines of the table on the screen
  std::vector<std::string> table_;
};

}  // namespace scalelaw
