#include "sweeps/watch_verb.h"

#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kLeastSeconds = 0.1, kMostSeconds = 86400;

}  // namespace

CLI::App* add_watch_verb(CLI::App& app, WatchArguments& arguments) {
  CLI::App* watch = app.add_subcommand("watch", "follow a sweep that launchers are at work on");
  watch->footer(
      "Example: scalelaw sweep watch configs/quickstart.yaml --every 5s\n"
      "States, what runs, throughput and time left of the whole, the law as it forms, and the "
      "last\n"
      "log lines of what failed, wherever the launchers are. Takes and writes nothing but the\n"
      "store's index. Off a terminal, and with --once, one page. Ends by itself: 0 all has ended,\n"
      "1 what is left has failed; 3 after Ctrl-C.");
  watch->add_option("--every", arguments.every, "time between two pages (0.5s, 10s, 1m)")
      ->type_name("TIME")
      ->capture_default_str();
  watch->add_flag("--once", arguments.once, "one page, all of it, however tall");
  return watch;
}

WatchOptions watch_options(const WatchArguments& arguments) {
  const double seconds = parse_duration(arguments.every).value_or(0);
  if (seconds < kLeastSeconds || seconds > kMostSeconds) {
    throw ConfigError("--every " + arguments.every + ": must be a time of 0.1s to 1d, as 2s");
  }
  return {seconds, arguments.once};
}

}  // namespace scalelaw
