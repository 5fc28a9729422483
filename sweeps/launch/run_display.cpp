#include "sweeps/launch/run_display.h"

#include <algorithm>

#include "sweeps/status/text_table.h"

namespace scalelaw {

void RunDisplay::clear() {
  if (drawn_ > 0) out_ << "\033[" << drawn_ << "A\r\033[J";
  drawn_ = 0;
  if (is_terminal_) out_ << std::flush;
}

void RunDisplay::close() {
  clear();
  table_.clear();
}

void RunDisplay::line(const std::string& text) {
  clear();
  out_ << text << '\n';
  for (const std::string& row : table_) out_ << row << '\n';
  drawn_ = static_cast<int>(table_.size());
  out_ << std::flush;
}

void RunDisplay::show(const SweepView& view) {
  if (!is_terminal_) return;
  table_ = shortened(render(view), static_cast<std::size_t>(std::max(2, size_.rows - 2)), "rows");
  for (std::string& row : table_) row = cut(row, std::max(20, size_.columns - 1));
  clear();
  for (const std::string& row : table_) out_ << row << '\n';
  drawn_ = static_cast<int>(table_.size());
  out_ << std::flush;
}

}  // namespace scalelaw
