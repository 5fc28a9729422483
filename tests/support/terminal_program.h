// Runs one of the project's programs on a terminal of its own, as a person would.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/program.h"

namespace scalelaw {

class TerminalProgram {
 public:
  // `arguments` as run_program's.
  TerminalProgram(const std::vector<std::string>& arguments, int rows, int columns);
  ~TerminalProgram();  // kills it
  TerminalProgram(const TerminalProgram&) = delete;
  TerminalProgram& operator=(const TerminalProgram&) = delete;

  void type(const std::string& keys);  // "\x03": Ctrl-C
  void resize(int rows, int columns);
  // Until all that it has written satisfies `holds`, or has ended, or ten seconds have passed;
  // whether it holds.
  bool read_until(const std::function<bool(const std::string&)>& holds);
  const std::string& output() const { return output_; }
  // Waits for its end.
  ProgramResult end();

 private:
  bool read_some();  // whether there may be more

  int terminal_ = -1;
  pid_t pid_ = 0;
  std::string output_;
};

}  // namespace scalelaw
