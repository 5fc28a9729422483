// scalelaw-model: models to and from the files of other programs. No LibTorch.
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/hugging_face/exchange.h"
#include "trainer/program_exit.h"

namespace scalelaw {
namespace {

struct Arguments {
  std::string format, from, to;
  std::string data = "data";
};

CLI::App* add_verb(CLI::App& app, Arguments& arguments, const char* name, const char* what) {
  CLI::App* verb = app.add_subcommand(name, what);
  verb->add_option("FORMAT", arguments.format, "hf: a folder of Hugging Face's transformers")
      ->required()
      ->check(CLI::IsMember({"hf"}));
  return verb;
}

Outcome run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Models to and from the files of other programs", "scalelaw model");
  app.require_subcommand(1);
  app.footer(
      "Examples: scalelaw model export hf runs/transformer_l2w64_d2.5M_i1d1-3fa9c1d20b7e hf/mine\n"
      "          scalelaw model import hf hf/gpt2 models/gpt2");
  CLI::App* out = add_verb(app, arguments, "export",
                           "a run's newest weights, or a model, as a GPT2LMHeadModel");
  out->add_option("MODEL", arguments.from, "a run's folder, or one that import made")->required();
  out->add_option("DIR", arguments.to, "the folder to make, new or empty")->required();
  add_folder(*out, "--data", arguments.data, "folder of data sets, for the run's tokenizer");
  out->footer(
      "Runs of the shape of GPT-2 alone: model.arch transformer, model.position learned,\n"
      "model.bias true. Example: scalelaw model export hf runs/RUN hf/mine");
  CLI::App* in = add_verb(app, arguments, "import",
                          "a GPT-2 in safetensors as a model for `evaluate` and `model export`");
  in->add_option("DIR", arguments.from, "holds config.json and model.safetensors")->required();
  in->add_option("MODEL", arguments.to, "the folder to make, new or empty")->required();
  in->footer("Example: scalelaw model import hf hf/gpt2 models/gpt2");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return {end_parse(app, error, "scalelaw model", {argv + 1, argv + argc})};
  }
  const std::filesystem::path from = folder_value("the folder to read", arguments.from);
  const std::filesystem::path to = folder_value("the folder to make", arguments.to);
  const std::vector<std::string> lines = out->parsed()
                                             ? export_hugging_face({from, to, arguments.data})
                                             : import_hugging_face({from, to});
  for (const std::string& line : lines) std::cout << line << '\n';
  return {kExitComplete, Product::kFiles};
}

}  // namespace
}  // namespace scalelaw

int main(int argc, char** argv) {
  return scalelaw::run_main("scalelaw model", [&] { return scalelaw::run(argc, argv); });
}
