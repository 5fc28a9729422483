// What a person sees while a sweep runs: on a terminal one table that is redrawn in place, under
// the lines of what ended; elsewhere the lines alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "sweeps/cell_status.h"
#include "sweeps/plan.h"

namespace scalelaw {

// A process: its first run, and how many are beside it.
struct RunningPack {
  const PlannedCell* cell = nullptr;
  std::size_t others = 0;
  CellStatus progress;  // of the first; tokens_per_second of all
  std::optional<double> seconds_left;
};

// One moment of a running sweep.
struct SweepView {
  const Plan* plan = nullptr;
  std::map<CellState, int64_t> states;
  std::vector<RunningPack> running;
  double elapsed_seconds = 0;  // of this launcher
  std::optional<double> seconds_left;
  bool stopping = false;
};

class RunDisplay {
 public:
  // `rows`, `columns`: of the terminal; the table is cut to fit.
  RunDisplay(std::ostream& out, bool is_terminal, int rows, int columns)
      : out_(out), is_terminal_(is_terminal), rows_(rows), columns_(columns) {}
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
  int rows_, columns_;
  int drawn_ = 0;  // lines of the table on the screen
  std::vector<std::string> table_;
};

std::vector<std::string> render(const SweepView& view);

// Rows of cells as lines, columns aligned: text left, numbers (as `right` says) right.
std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows,
                                 const std::vector<bool>& right);

// "45 s", "12 min", "3.4 h", "2.1 d"
std::string duration_text(double seconds);
// A loss for people: "2.9331"; "-" when there is none.
std::string loss_text(const std::optional<double>& loss_nats);

}  // namespace scalelaw
