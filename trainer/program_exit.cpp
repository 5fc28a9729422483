#include "trainer/program_exit.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>

#include "trainer/config_error.h"
#include "trainer/escaped.h"

namespace scalelaw {
namespace {

Outcome outcome_of(std::string_view command, const std::function<Outcome()>& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return {end_with_error(
        command, std::runtime_error(std::string("this machine's ") + kMemoryDoesNotSuffice))};
  } catch (const std::exception& error) {
    return {end_with_error(command, error)};
  }
}

bool reader_has_gone() {
  pollfd output = {STDOUT_FILENO, 0, 0};
  return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

}  // namespace

int end_with_error(std::string_view command, const std::exception& error) {
  std::string message = error.what();
  const auto* of_file = dynamic_cast<const std::filesystem::filesystem_error*>(&error);
  if (of_file != nullptr) message = of_file->path1().string() + ": " + of_file->code().message();
  message.resize(message.find_last_not_of('\n') + 1);
  std::cerr << command << ": error: " << escaped(message) << '\n';
  const bool closed = of_file != nullptr && of_file->code() == std::errc::permission_denied;
  return closed || dynamic_cast<const ConfigError*>(&error) != nullptr ? kExitBadInput : kExitOther;
}

int run_main(std::string_view command, const std::function<Outcome()>& body) {
  // Whoever reads what is printed may go: training does not end with it.
  std::signal(SIGPIPE, SIG_IGN);
  const auto [exit_code, product] = outcome_of(command, body);
  errno = 0;
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  const int cause = errno;
  if (flushed && std::cout && std::ferror(stdout) == 0) return exit_code;
  const int lost_output = exit_code == kExitComplete ? kExitOther : exit_code;
  if (reader_has_gone()) return product == Product::kFiles ? exit_code : lost_output;  // `| head`
  const std::string why = cause == 0 ? "" : std::string(": ") + std::strerror(cause);
  end_with_error(command, std::runtime_error("standard output could not be written" + why +
                                             "; what was printed is not whole"));
  return lost_output;
}

int run_main(std::string_view command, const std::function<int()>& body) {
  return run_main(command, [&] { return Outcome{body()}; });
}

}  // namespace scalelaw
