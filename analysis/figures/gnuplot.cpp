#include "analysis/figures/gnuplot.h"

#include <spawn.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <cassert>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "trainer/atomic_file.h"

extern char** environ;

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// Runs gnuplot in `folder` without a shell; what it says goes to `log`. How it ended, as waitpid's.
int run_gnuplot(const fs::path& folder, const std::string& script, const std::string& log) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  std::string program = "gnuplot", argument = script;
  char* argv[] = {program.data(), argument.data(), nullptr};
  pid_t process = 0;
  const int failure = posix_spawnp(&process, "gnuplot", &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) {
    throw std::runtime_error("gnuplot is not installed; Debian and Ubuntu have it as gnuplot-nox");
  }
  if (failure != 0) throw std::runtime_error(std::string("gnuplot: ") + std::strerror(failure));
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string ending(int status) {
  return WIFSIGNALED(status) ? "was ended by signal " + std::to_string(WTERMSIG(status))
                             : "ended with exit status " + std::to_string(WEXITSTATUS(status));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string attribute_escaped(const std::string& text) {
  std::string out = replaced(replaced(text, "&", "&amp;"), "<", "&lt;");
  return replaced(replaced(out, ">", "&gt;"), "\"", "&quot;");
}

}  // namespace

RenderedFigure render(const Figure& figure, const fs::path& folder) {
  assert(figure.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos);
  fs::create_directories(folder);
  RenderedFigure files{folder / (figure.id + ".svg"), folder / (figure.id + ".png"),
                       folder / (figure.id + ".pdf"), folder / (figure.id + ".gp"),
                       folder / (figure.id + ".dat")};
  write_atomically(files.data, gnuplot_data(figure));
  write_atomically(files.script, gnuplot_script(figure));
  const std::string log = figure.id + ".log";
  const int status = run_gnuplot(folder, figure.id + ".gp", log);
  std::string said = read_whole_file(folder / log);
  said.resize(said.find_last_not_of(" \n") + 1);
  fs::remove(folder / log);
  if (status != 0 || !fs::exists(files.svg) || !fs::exists(files.png) || !fs::exists(files.pdf)) {
    throw std::runtime_error("gnuplot could not render " + files.script.string() + ": it " +
                             ending(status) +
                             (said.empty() ? " and said nothing" : " and said: " + said));
  }
  return files;
}

std::string inline_svg(const std::string& svg, const Figure& figure) {
  const std::size_t start = svg.find("<svg");
  if (start == std::string::npos) throw std::runtime_error("gnuplot's SVG has no <svg> element");
  std::string text = svg.substr(start);
  text.insert(4, " role=\"img\" aria-label=\"" + attribute_escaped(figure.title) + "\"");
  text = replaced(text, "id='gp", "id='" + figure.id + "_gp");
  text = replaced(text, "'#gp", "'#" + figure.id + "_gp");
  return replaced(text, "id=\"gnuplot", "id=\"" + figure.id + "_gnuplot");
}

}  // namespace scalelaw
