#include "trainer/data/build_verb.h"

#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/data/default_corpus.h"
#include "trainer/data/mixture.h"
#include "trainer/data/split_share.h"

namespace scalelaw {

namespace {

void set_split(BuildOptions& build, Split split, const std::string& text) {
  if (const std::optional<double> share = split_share(split, text)) {
    (split == Split::kTest ? build.corpus.test_share : build.corpus.validation_share) = *share;
  } else {
    build.given_sources[split] = {text};
  }
}

BuildOptions one_build(const BuildArguments& arguments) {
  BuildOptions build = arguments.options;
  set_split(build, Split::kValidation, arguments.val);
  set_split(build, Split::kTest, arguments.test);
  if (build.corpus.validation_share + build.corpus.test_share > 1) {
    throw ConfigError("--val " + arguments.val + " --test " + arguments.test +
                      ": together over 100%");
  }
  build.weights = parse_weights(build.sources, arguments.weights);
  if (build.train_tokens > 0 && build.weights.empty()) {
    throw ConfigError("--tokens goes with --weight: for a single source, --weight " +
                      build.sources.front() + "=1");
  }
  build.corpus.split_by = arguments.split_by == "folder"  ? SplitBy::kFolder
                          : arguments.split_by == "piece" ? SplitBy::kPiece
                                                          : SplitBy::kDocument;
  return build;
}

bool asks_for_default(const BuildArguments& arguments) {
  const auto& sources = arguments.options.sources;
  return sources.size() == 1 && sources.front() == "default";
}

}  // namespace

CLI::App* add_build(CLI::App& app, BuildArguments& arguments) {
  BuildOptions& build = arguments.options;
  CLI::App* verb = app.add_subcommand("build", "text into a data set");
  verb->add_option("SOURCES", build.sources,
                   "files (.txt, .jsonl, also .gz .xz .zst), folders, patterns; -: standard input, "
                   "JSON lines where it begins with {, else one text; or `default`: the installed "
                   "LibTorch's own sources")
      ->required();
  verb->add_option("--name", build.name, "of the data set");
  verb->add_option("--tokenizer", build.tokenizer,
                   "bpe:PIECES, unigram:PIECES, bytes, set:NAME (another set's), or a "
                   "SentencePiece model file")
      ->capture_default_str();
  verb->add_option("--val", arguments.val, "share of the documents, or a source of its own")
      ->capture_default_str();
  verb->add_option("--test", arguments.test, "share of the documents, or a source of its own")
      ->capture_default_str();
  verb->add_option("--split-by", arguments.split_by, "what is never torn between splits")
      ->check(CLI::IsMember({"document", "folder", "piece"}))
      ->capture_default_str();
  verb->add_option("--jsonl-key", build.corpus.sources.jsonl_key, "holds a line's text")
      ->capture_default_str();
  verb->add_option("--text-suffix", build.corpus.sources.text_suffixes,
                   "of files that are one document each, in place of the default; once for each")
      ->allow_extra_args(false)
      ->capture_default_str();
  verb->add_option("--exclude", build.corpus.sources.exclude,
                   "pattern of FOLDER/sub/file names to leave out; once for each")
      ->allow_extra_args(false);
  add_whole(*verb, "--piece-bytes", build.corpus.piece_bytes, {.least = 16, .bytes = true},
            "longer documents are cut");
  add_whole(*verb, "--cap-per-file", build.corpus.cap_per_file, {.bytes = true},
            "bytes read of a file; 0: all");
  add_whole(*verb, "--tokenizer-sample", build.tokenizer_sample_bytes, {.least = 1, .bytes = true},
            "bytes of train that train the tokenizer");
  add_whole(*verb, "--max-memory", build.max_memory_bytes, {.bytes = true},
            "of training the tokenizer: its sample is cut to fit; 0: no limit");
  verb->add_option("--weight", arguments.weights,
                   "SOURCE=NUMBER, for each of SOURCES: train holds their tokens in these "
                   "proportions, anywhere in it")
      ->allow_extra_args(false);
  add_whole(*verb, "--tokens", build.train_tokens, {},
            "of the weighted train, repeating sources that run out; 0: until one does");
  add_whole(*verb, "--seed", build.corpus.seed, {}, "of the shuffle");
  add_whole(*verb, "--threads", build.threads, {0, 1024}, "0: one a core");
  verb->add_option(
      "--torch", arguments.torch,
      "for `build default`: a torch folder, a virtual environment or its Python (default: the "
      "LibTorch that this program was built with)");
  verb->add_flag("--replace", build.replace, "overwrite a set of this name");
  verb->footer(
      "Example: scalelaw data build books/ --name books --tokenizer bpe:8192 --val 2% "
      "--test wiki.jsonl.xz\n         scalelaw data build books/ wiki.jsonl --weight books/=3 "
      "--weight wiki.jsonl=1 --tokens 50M --name mix\n         zstdcat shards/*.jsonl.zst | "
      "scalelaw data build - --name web\n         scalelaw data build default");
  return verb;
}

std::vector<BuildOptions> build_options(const CLI::App& verb, const BuildArguments& arguments) {
  if (!asks_for_default(arguments)) {
    if (!arguments.torch.empty()) throw ConfigError("--torch goes with `build default` only");
    if (arguments.options.name.empty())
      throw ConfigError("--name is missing: how is the set called?");
    return {one_build(arguments)};
  }
  // What fixes the default corpus is not open to options: its name promises the same tokens.
  for (const char* option :
       {"--name", "--tokenizer", "--val", "--test", "--split-by", "--exclude", "--text-suffix",
        "--jsonl-key", "--piece-bytes", "--cap-per-file", "--tokenizer-sample", "--max-memory",
        "--weight", "--tokens", "--seed"}) {
    if (verb.count(option) > 0) {
      throw ConfigError(std::string(option) +
                        " does not go with `build default`; a folder called "
                        "default is ./default");
    }
  }
  return default_corpora(find_torch(arguments.torch, SCALELAW_TORCH_FOLDER), one_build(arguments));
}

}  // namespace scalelaw
