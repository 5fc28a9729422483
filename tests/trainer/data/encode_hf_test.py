"""scripts/encode_hf.py against the library itself, document by document."""

import array
import gzip
import importlib.util
import json
import os
import pathlib
import resource
import shlex
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "scripts" / "encode_hf.py"
SKIPPED = 77
TEXTS = [f"Document {i}: it's {i * 37 % 101} o'clock,\n\twhere  the Zürich café is. 東京 🎉" for i in range(400)]
END = "<|endoftext|>"


def trained():
    """A byte-level BPE tokenizer as GPT-2's, of 400 pieces."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TEXTS, trainers.BpeTrainer(
        vocab_size=400, special_tokens=[END], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def read_npy(path):
    raw = path.read_bytes()
    header = eval(raw[10:128])  # our own file
    ids = array.array({"<u2": "H", "<u4": "I"}[header["descr"]], raw[128:])
    assert raw[:10] == b"\x93NUMPY\x01\x00\x76\x00" and header["shape"] == (len(ids),)
    return list(ids)


class EncodeHf(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.tokenizer = trained()
        self.tokenizer.save(str(self.folder / "tokenizer.json"))
        self.tokenizer.model.save(str(self.folder))
        self.write("books.jsonl", TEXTS)

    def write(self, name, texts):
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
        (self.folder / name).write_text(lines)

    def run_script(self, *words):
        return subprocess.run(
            [sys.executable, SCRIPT, "--out", "ids", "--name", "books", *words],
            cwd=self.folder, capture_output=True, text=True, check=False)

    def encode(self, *words):
        result = self.run_script("--tokenizer", "tokenizer.json", *words)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads((self.folder / "ids/ids.json").read_text())

    def expected(self, texts):
        end = self.tokenizer.token_to_id(END)
        return [i for text in texts for i in [*self.tokenizer.encode(text).ids, end]]

    def test_ids_are_the_librarys_and_every_document_ends(self):
        record = self.encode("books.jsonl", "--val", "0", "--test", "0")
        ids = read_npy(self.folder / "ids/train.npy")
        self.assertEqual(ids, self.expected(TEXTS))
        self.assertEqual(record["vocab_size"], 400)
        self.assertEqual(record["splits"], {"train": {
            "tokens": len(ids), "documents": 400,
            "text_bytes": sum(len(text.encode()) for text in TEXTS),
            "unknown_tokens": 0, "documents_not_restored": 0}})

    def test_shares_lose_nothing_and_given_documents_are_held_out(self):
        record = self.encode("books.jsonl", "--val", "10%", "--test", "0.2")
        splits = record["splits"]
        self.assertEqual(sum(split["documents"] for split in splits.values()), 400)
        self.assertTrue(40 <= splits["test"]["documents"] <= 120)  # five standard deviations of 80
        self.write("test.jsonl", TEXTS[:30] + TEXTS[:5])
        record = self.encode("books.jsonl", "--val", "0", "--test", "test.jsonl")
        self.assertEqual(read_npy(self.folder / "ids/test.npy"), self.expected(TEXTS[:30]))
        self.assertEqual(read_npy(self.folder / "ids/train.npy"), self.expected(TEXTS[30:]))
        self.assertEqual(record["documents_left_out"], 35)

    def test_text_that_reads_like_an_end_is_text(self):
        self.write("odd.jsonl", [f"before {END} after"])
        self.encode("odd.jsonl", "--val", "0", "--test", "0")
        ids = read_npy(self.folder / "ids/train.npy")
        end = self.tokenizer.token_to_id(END)
        self.assertEqual([i for i, token in enumerate(ids) if token == end], [len(ids) - 1])
        self.assertEqual(self.tokenizer.decode(ids[:-1]), f"before {END} after")

    def test_merges_alone_give_the_same_pieces_in_gpt2s_order(self):
        result = self.run_script("--tokenizer", "merges.txt", "books.jsonl", "--val", "0", "--test", "0")
        self.assertEqual(result.returncode, 0, result.stderr)
        spec = importlib.util.spec_from_file_location("encode_hf", SCRIPT)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        ours = module.read_merges(self.folder / "merges.txt")
        pieces = [ours.id_to_token(i) for i in read_npy(self.folder / "ids/train.npy")]
        self.assertEqual(pieces, [self.tokenizer.id_to_token(i) for i in self.expected(TEXTS)])
        self.assertEqual([ours.id_to_token(i) for i in (0, 93, 94, 188, 220)],
                         ["!", "~", "\u00a1", "\u0100", "\u0120"])
        self.assertEqual(ours.token_to_id(END), ours.get_vocab_size() - 1)

    def test_prints_the_command_that_imports(self):
        result = self.run_script("--tokenizer", "tokenizer.json", "books.jsonl", "--val", "0")
        self.assertRegex(result.stdout, r"^scalelaw data import ids/train.npy --val 0 --test "
                         r"ids/test.npy --name books --tokenizer name:hf-[0-9a-f]{12} --vocab-size "
                         r"400 --eod 0 --bytes train=\d+ --bytes test=\d+\n$")

    def test_the_printed_command_imports_what_was_encoded(self):
        program = pathlib.Path(os.environ.get("SCALELAW_BIN_DIR", ".")) / "scalelaw"
        if not (program.exists() and (program.parent / "scalelaw-data").exists()):
            self.skipTest(f"{program} is not built")
        for options in (["--val", "10%"], ["--val", "0", "--test", "0"]):
            result = self.run_script("--tokenizer", "tokenizer.json", "books.jsonl", *options)
            words = shlex.split(result.stdout)
            self.assertEqual(words[:3], ["scalelaw", "data", "import"], result.stderr)
            imported = subprocess.run([program, *words[1:], "--json", "--quiet", "--replace"],
                                      cwd=self.folder, capture_output=True, text=True, check=False)
            self.assertEqual(imported.returncode, 0, imported.stderr)
            record = json.loads((self.folder / "ids/ids.json").read_text())
            splits = json.loads(imported.stdout)["splits"]
            self.assertEqual(splits.keys(), record["splits"].keys())
            for name, split in splits.items():
                for key in ("tokens", "documents", "text_bytes"):
                    self.assertEqual(split[key], record["splits"][name][key])

    def lost(self, tokenizer):
        """What is said of a test split with letters that train lacks, and its counts."""
        tokenizer.save(str(self.folder / "tokenizer.json"))
        self.write("plain.jsonl", ["abc abd", "abe abc"])
        self.write("odd.jsonl", ["abc 東京", "abd", "é"])
        result = self.run_script("--tokenizer", "tokenizer.json", "plain.jsonl", "--val", "0",
                                 "--test", "odd.jsonl")
        self.assertEqual(result.returncode, 0, result.stderr)
        record = json.loads((self.folder / "ids/ids.json").read_text())["splits"]
        for count in ("unknown_tokens", "documents_not_restored"):
            self.assertEqual(record["train"][count], 0)
        words = shlex.split(result.stdout)
        self.assertEqual([word for word in words if word.startswith(("train=", "test="))],
                         [f"train={record['train']['text_bytes']}"])
        self.assertRegex(result.stderr,
                         r"\Aencode_hf.py: test: [^\n]*do not hold all of its text[^\n]*\n\Z")
        return record["test"], result.stderr

    def test_unknown_tokens_are_counted_and_their_texts_bytes_not_claimed(self):
        from tokenizers import Tokenizer, models, trainers

        bpe = Tokenizer(models.BPE(unk_token="<unk>"))
        bpe.train_from_iterator(["abc abd abe"], trainers.BpeTrainer(
            special_tokens=["<unk>", END], show_progress=False))
        unigram = Tokenizer(models.Unigram())
        unigram.train_from_iterator(["abc abd abe"] * 3, trainers.UnigramTrainer(
            vocab_size=30, special_tokens=["<unk>", END], unk_token="<unk>", show_progress=False))
        for tokenizer in (bpe, unigram):
            count, said = self.lost(tokenizer)
            unknown = sum(tokenizer.encode(text).ids.count(0) for text in ("abc 東京", "abd", "é"))
            self.assertGreater(unknown, 0)
            self.assertEqual(count["unknown_tokens"], unknown)
            self.assertIn(f"{unknown} tokens are the unknown one", said)

    def test_text_that_a_vocabulary_drops_is_found_by_decoding(self):
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        plain = Tokenizer(models.BPE())
        few_bytes = Tokenizer(models.BPE())  # those of its training alone
        few_bytes.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.ByteLevel(add_prefix_space=False)])
        few_bytes.decoder = decoders.ByteLevel()
        for tokenizer in (plain, few_bytes):
            tokenizer.train_from_iterator(["abc abd abe"], trainers.BpeTrainer(
                special_tokens=[END], show_progress=False))
            count, said = self.lost(tokenizer)
            self.assertEqual(count["documents_not_restored"], 2)
            self.assertIn("decoding does not give back 2 of 3 documents", said)

    def test_a_full_disk_is_one_message_and_no_ids(self):
        for most_bytes in (64, 4096):  # within the header, within the ids
            result = subprocess.run(
                [sys.executable, SCRIPT, "--out", "ids", "--name", "books", "--tokenizer",
                 "tokenizer.json", "books.jsonl"],
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes,) * 2),
                cwd=self.folder, capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertRegex(result.stderr, r"\Aencode_hf.py: ids: File too large\n\Z")
            self.assertEqual(list(self.folder.glob("ids/*")), [])

    def test_bad_input_is_one_message_and_no_ids(self):
        (self.folder / "latin1.txt").write_bytes(b"caf\xe9")
        (self.folder / "twice.jsonl").write_text('{"text": "a"}\n{"body": "b"}\n')
        (self.folder / "torn.jsonl.xz").write_bytes(b"\xfd7zXZ\x00 and no more")
        flipped = bytearray(gzip.compress((self.folder / "books.jsonl").read_bytes()))
        flipped[len(flipped) // 2] ^= 0xFF
        (self.folder / "flipped.jsonl.gz").write_bytes(flipped)
        # A kind of block that there is not.
        (self.folder / "flipped_first.jsonl.gz").write_bytes(bytes(flipped[:10]) + b"\x07" * 20)
        for words in (["latin1.txt"], ["twice.jsonl"], ["torn.jsonl.xz"], ["flipped.jsonl.gz"],
                      ["flipped_first.jsonl.gz"], ["gone.jsonl"], ["ids"],
                      ["books.jsonl", "--val", "2"], ["books.jsonl", "--eod", "</end>"],
                      ["books.jsonl", "--tokenizer", "books.jsonl"],
                      ["books.jsonl", "--val", "0", "--test", "100%"]):
            result = self.run_script("--tokenizer", "tokenizer.json", *words)
            self.assertEqual(result.returncode, 1, words)
            self.assertTrue(result.stderr.startswith("encode_hf.py: "), result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertEqual(list(self.folder.glob("ids/*")), [])


if __name__ == "__main__":
    if importlib.util.find_spec("tokenizers") is None:
        print(f"skipped: {sys.executable} has no tokenizers (scripts/setup.sh --checks)")
        sys.exit(SKIPPED)
    unittest.main()
