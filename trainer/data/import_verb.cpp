#include "trainer/data/import_verb.h"

#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/data/split_share.h"
#include "trainer/data/token_shard_header.h"
#include "trainer/number.h"

namespace scalelaw {

namespace {

constexpr const char* kBytesForm = ": is not SPLIT=BYTES (test=1234567), SPLIT train, val or test";

void set_split(ImportOptions& options, Split split, const std::string& text) {
  if (const std::optional<double> share = split_share(split, text)) {
    (split == Split::kTest ? options.shares.test : options.shares.validation) = *share;
  } else {
    options.given_sources[split] = {text};
  }
}

void set_text_bytes(ImportOptions& options, const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string split_name = text.substr(0, equals);
  const std::optional<int64_t> bytes =
      equals == std::string::npos ? std::nullopt : parse_bytes(text.substr(equals + 1));
  for (const Split split : kSplits) {
    if (name(split) != split_name || !bytes || *bytes < 1) continue;
    if (!options.text_bytes.emplace(split, *bytes).second) {
      throw ConfigError("--bytes " + text + ": of " + split_name + " they are given twice");
    }
    return;
  }
  throw ConfigError("--bytes " + text + kBytesForm);
}

void add_id(CLI::App& verb, const std::string& option, bool begins, ImportOptions& options,
            const std::string& help) {
  verb.add_option_function<std::string>(
          option,
          [&options, option, begins](const std::string& text) {
            const int64_t id = whole_value(option, text, {0, kMaxVocab - 1});
            options.mark = {.id = static_cast<uint32_t>(id), .begins = begins};
          },
          help)
      ->type_name("ID");
}

}  // namespace

CLI::App* add_import(CLI::App& app, ImportArguments& arguments) {
  ImportOptions& options = arguments.options;
  CLI::App* verb = app.add_subcommand("import", "token ids made elsewhere into a data set");
  verb->add_option("SOURCES", options.sources,
                   "files or patterns, read in this order: .npy (one dimension, integers), .bin of "
                   "llm.c, modded-nanogpt and nanoGPT, Megatron's .idx with its .bin, raw ids with "
                   "--dtype")
      ->required();
  verb->add_option("--name", options.name, "of the data set")->required();
  verb->add_option_function<std::string>(
          "--vocab-size",
          [&options](const std::string& text) {
            options.n_vocab = whole_value("--vocab-size", text, {1, kMaxVocab});
          },
          "how many ids the tokenizer has; every id is checked to be below")
      ->type_name("NUMBER");
  verb->add_option(
      "--tokenizer", options.tokenizer,
      "name:WORD (known by name alone; sets of one name and --vocab-size compare), "
      "set:NAME (another set's), bytes, or a SentencePiece model file; default: a name "
      "of this set's own");
  verb->add_option(
      "--dtype", arguments.raw_type,
      std::string("of ids in files without a header: ") + kIdTypes + "; a .bin is u16 without it");
  add_id(*verb, "--eod", false, options,
         "stands behind each document, where files do not say (nanoGPT: 50256)");
  add_id(*verb, "--bod", true, options,
         "stands before each document (llm.c, modded-nanogpt: 50256)");
  verb->get_option("--eod")->excludes("--bod");
  verb->add_option("--val", arguments.val,
                   "share of the documents, where their ends are not known the ids before test's "
                   "block; or files of its own")
      ->capture_default_str();
  verb->add_option("--test", arguments.test,
                   "share of the documents, where their ends are not known the last ids; or files "
                   "of its own")
      ->capture_default_str();
  verb->add_option("--bytes", arguments.text_bytes,
                   "SPLIT=BYTES, of the text behind a split's ids: without, or a --tokenizer that "
                   "is here, runs have no bits_per_byte; once for each split")
      ->allow_extra_args(false);
  verb->add_flag("--replace", options.replace, "overwrite a set of this name");
  verb->footer(
      "Example: scalelaw data import 'fineweb10B/fineweb_train_*.bin' --val 0 --test "
      "fineweb10B/fineweb_val_000000.bin\n"
      "           --name fineweb --tokenizer name:gpt2 --vocab-size 50257 --bod 50256\n"
      "         scalelaw data import train.bin --val val.bin --test 0 --name owt --tokenizer "
      "name:gpt2 --vocab-size 50257");
  return verb;
}

ImportOptions import_options(const CLI::App& verb, const ImportArguments& arguments) {
  ImportOptions options = arguments.options;
  set_split(options, Split::kValidation, arguments.val);
  set_split(options, Split::kTest, arguments.test);
  if (options.shares.validation + options.shares.test > 1) {
    throw ConfigError("--val " + arguments.val + " --test " + arguments.test +
                      ": together over 100%");
  }
  if (verb.count("--dtype") > 0) {
    options.raw_type = parse_id_type(arguments.raw_type);
    if (!options.raw_type) {
      throw ConfigError("--dtype " + arguments.raw_type + ": is none of " + kIdTypes);
    }
  }
  for (const std::string& text : arguments.text_bytes) set_text_bytes(options, text);
  return options;
}

}  // namespace scalelaw
