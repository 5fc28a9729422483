#!/usr/bin/env python3
"""Token ids of texts by a Hugging Face tokenizer or GPT-2's merges, for `scalelaw data import`.

    scripts/encode_hf.py --tokenizer tokenizer.json --out ids/ --name books SOURCES
                         [--val 2%|FILE] [--test 2%|FILE] [--eod TOKEN] [--jsonl-key text]

    python3 -m venv hf && hf/bin/pip install tokenizers
    hf/bin/python scripts/encode_hf.py --tokenizer merges.txt --out ids/ --name books books.jsonl.xz

SOURCES are files: .jsonl (a line is a document) or .txt (a file is one), also .gz and .xz. Writes
ids/train.npy, val.npy and test.npy (uint16 up to 65536 ids, else uint32), every document followed
by the end-of-document id, and ids/ids.json with the vocabulary, counts and bytes of text, and
prints the command that imports them.

Documents go to val and test by the hash of their text, or from FILE; one that comes twice, or
stands in val or test as well, is left out. They stay in the order of the sources: where a prefix is
to be a fair sample, shuffle the lines before (shuf). Text that reads like a special token is
encoded as text. Where ids do not hold all of a split's text (unknown tokens; of a vocabulary with
neither these nor all bytes, documents that decoding does not give back) that is counted and said,
and the split's bytes are not in the command: bits per byte would be of other text. What a
normalizer changes is not looked for. Memory: 4 MB of text or the largest document (a .txt is one), and about 80 bytes a
document.

FILE of GPT-2 is merges.txt (vocab.bpe) alone: its vocabulary of 50257 follows from it.
"""

import argparse
import array
import contextlib
import gzip
import hashlib
import json
import lzma
import os
import pathlib
import shlex
import sys
import zlib

BATCH_BYTES = 4_000_000
GPT2_END = "<|endoftext|>"
LIKELY_ENDS = (GPT2_END, "</s>", "<eos>", "<|end_of_text|>", "<|eot_id|>")


def fail(message):
    sys.exit(f"encode_hf.py: {message}")


def gpt2_byte_signs():
    """The characters that stand for the bytes, in the order of GPT-2's ids (openai/gpt-2,
    src/encoder.py, bytes_to_unicode)."""
    shown = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(byte) for byte in shown] + [chr(0x100 + i) for i in range(256 - len(shown))]


def read_merges(path):
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    merges = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#version") or not line.strip():
            continue
        pair = line.split(" ")
        if len(pair) != 2:
            fail(f"{path}: line {number}: not two pieces that merge; is it GPT-2's merges.txt?")
        merges.append(tuple(pair))
    pieces = gpt2_byte_signs() + ["".join(pair) for pair in merges]
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(GPT2_END, special=True)])
    return tokenizer


def read_tokenizer(path):
    try:
        from tokenizers import Tokenizer
    except ImportError:
        fail("Python's tokenizers is not here: pip install tokenizers, and run it with that python")
    if not path.is_file():
        fail(f"{path}: is not there")
    if path.suffix == ".json":
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            fail(f"{path}: is no tokenizer.json: {error}")
        tokenizer.no_truncation()
        tokenizer.no_padding()
    else:
        tokenizer = read_merges(path)
    tokenizer.encode_special_tokens = True  # as text: a document cannot end itself
    return tokenizer


def end_id(tokenizer, wanted):
    names = [wanted] if wanted else LIKELY_ENDS
    for name in names:
        found = tokenizer.token_to_id(name)
        if found is not None:
            return found
    special = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
    fail(f"--eod: which token ends a document? {' and '.join(names)} is not in the vocabulary; "
         f"its special tokens: {', '.join(special) or 'none'}")


class Losses:
    """What of a text an encoding does not hold."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        parts = json.loads(tokenizer.to_str())
        model = parts["model"]
        name = model.get("unk_token")
        self.unknown = model.get("unk_id") if name is None else tokenizer.token_to_id(name)
        self.has_decoder = parts["decoder"] is not None
        self.compares = self.unknown is None and not self.keeps_bytes(parts)

    def keeps_bytes(self, parts):
        before = parts["pre_tokenizer"] or {}
        steps = [before, *before.get("pretokenizers", [])]
        if any(step.get("type") == "ByteLevel" for step in steps):
            pieces = gpt2_byte_signs()
        elif parts["model"].get("byte_fallback"):
            pieces = [f"<0x{byte:02X}>" for byte in range(256)]
        else:
            return False
        return all(self.tokenizer.token_to_id(piece) is not None for piece in pieces)

    def unknown_in(self, encoding):
        return 0 if self.unknown is None else encoding.ids.count(self.unknown)

    def differs(self, encoding, text):
        if not self.compares:
            return False
        # Without a decoder the library puts spaces between pieces.
        back = (self.tokenizer.decode(encoding.ids, skip_special_tokens=False)
                if self.has_decoder else "".join(encoding.tokens))
        return back != text


def open_source(path):
    openers = {".gz": gzip.open, ".xz": lzma.open}
    opener = openers.get(path.suffix, open)
    name = path.name.removesuffix(path.suffix) if path.suffix in openers else path.name
    if not path.is_file():
        fail(f"{path}: is not there, or no file")
    if not name.endswith((".jsonl", ".txt")):
        fail(f"{path}: is of a kind that is not read (.jsonl .txt, also with .gz .xz)")
    return opener(path, "rt", encoding="utf-8", newline=""), name.endswith(".jsonl")


def texts_of_lines(path, stream, key):
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)[key]
            text.encode()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            fail(f"{path}: line {number}: no JSON with text under {key!r}: {error!r}")
        yield text


def documents(paths, key):
    for path in map(pathlib.Path, paths):
        stream, by_line = open_source(path)
        with stream:
            try:
                if by_line:
                    yield from texts_of_lines(path, stream, key)
                else:
                    yield stream.read()
            except (UnicodeError, EOFError, lzma.LZMAError, gzip.BadGzipFile, zlib.error) as error:
                fail(f"{path}: is not UTF-8, or damaged: {error}")


class Split:
    """One .npy in the making: documents in batches through the tokenizer."""

    def __init__(self, folder, name, tokenizer, vocabulary, end):
        self.path = folder / f"{name}.npy"
        self.part = folder / f"{name}.npy.part"
        self.tokenizer, self.end = tokenizer, end
        self.losses = Losses(tokenizer)
        self.type = "H" if vocabulary <= 65536 else "I"
        self.tokens = self.documents = self.text_bytes = 0
        self.unknown_tokens = self.documents_not_restored = 0
        self.pending, self.pending_bytes = [], 0
        self.file = open(self.part, "wb")
        self.file.write(self.header())

    def header(self):
        """NumPy's format 1.0, of 128 bytes whatever the count is."""
        kind = "<u2" if self.type == "H" else "<u4"
        text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({self.tokens},), }}"
        return b"\x93NUMPY\x01\x00\x76\x00" + text.ljust(117).encode() + b"\n"

    def add(self, text, text_bytes):
        self.pending.append(text)
        self.pending_bytes += text_bytes
        self.documents += 1
        self.text_bytes += text_bytes
        if self.pending_bytes >= BATCH_BYTES:
            self.flush()

    def flush(self):
        ids = array.array(self.type)
        encodings = self.tokenizer.encode_batch(self.pending, add_special_tokens=False)
        for text, encoding in zip(self.pending, encodings):
            ids.extend(encoding.ids)
            ids.append(self.end)
            self.unknown_tokens += self.losses.unknown_in(encoding)
            self.documents_not_restored += self.losses.differs(encoding, text)
        self.pending, self.pending_bytes = [], 0
        self.tokens += len(ids)
        if sys.byteorder == "big":
            ids.byteswap()
        ids.tofile(self.file)

    def give_up(self):
        with contextlib.suppress(OSError):  # of what a full disk did not take
            self.file.close()
        self.part.unlink(missing_ok=True)

    def finish(self):
        self.flush()
        self.file.seek(0)
        self.file.write(self.header())
        self.file.close()

    def publish(self):
        if self.documents == 0:
            self.part.unlink()
            return None
        os.replace(self.part, self.path)
        return {"tokens": self.tokens, "documents": self.documents, "text_bytes": self.text_bytes,
                "unknown_tokens": self.unknown_tokens,
                "documents_not_restored": self.documents_not_restored}


def share_or_files(option, text):
    """"2%" and "0.02" are a share; anything else is a file."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return 0.0, [text]
    if not 0 <= share <= 1:
        fail(f"{option} {text}: a share is from 0 to 1 (or 0% to 100%)")
    return share, []


def encode(options, tokenizer, vocabulary, end):
    val_share, val_files = share_or_files("--val", options.val)
    test_share, test_files = share_or_files("--test", options.test)
    if val_share + test_share > 1:
        fail(f"--val {options.val} --test {options.test}: together over 100%")
    folder = pathlib.Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    splits = {name: Split(folder, name, tokenizer, vocabulary, end)
              for name in ("train", "val", "test")}
    seen = set()
    left_out = 0
    try:
        for given, files in (("test", test_files), ("val", val_files), (None, options.sources)):
            for text in documents(files, options.jsonl_key):
                raw = text.encode()
                digest = hashlib.blake2b(raw, digest_size=16).digest()
                if digest in seen or not text.strip():
                    left_out += 1
                    continue
                seen.add(digest)
                place = int.from_bytes(digest[:8], "big") / 2**64
                name = given or ("test" if place < test_share
                                 else "val" if place < test_share + val_share else "train")
                splits[name].add(text, len(raw))
        if splits["train"].documents == 0:
            fail("no document for train: smaller shares (--val 0 --test 0), or more text")
        for split in splits.values():
            split.finish()
    except BaseException:
        for split in splits.values():
            split.give_up()
        raise
    counts = {name: split.publish() for name, split in splits.items()}
    return {name: count for name, count in counts.items() if count}, left_out


def lost_text(count):
    """In words; "" where the ids hold all of it."""
    if count["unknown_tokens"] > 0:
        return f"{count['unknown_tokens']} tokens are the unknown one"
    if count["documents_not_restored"] > 0:
        return (f"decoding does not give back {count['documents_not_restored']} of "
                f"{count['documents']} documents")
    return ""


def import_command(options, record):
    folder = pathlib.Path(options.out)
    words = ["scalelaw", "data", "import", str(folder / "train.npy")]
    for name in ("val", "test"):
        words += [f"--{name}", str(folder / f"{name}.npy") if name in record["splits"] else "0"]
    words += ["--name", options.name, "--tokenizer", f"name:{record['tokenizer']}",
              "--vocab-size", str(record["vocab_size"]), "--eod", str(record["eod"])]
    for name, count in record["splits"].items():
        if not lost_text(count):
            words += ["--bytes", f"{name}={count['text_bytes']}"]
    return shlex.join(words)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", metavar="SOURCES", nargs="+", help="of train, and of the shares")
    parser.add_argument("--tokenizer", required=True, help="tokenizer.json, or GPT-2's merges.txt")
    parser.add_argument("--out", required=True, help="folder that the ids are written to")
    parser.add_argument("--name", required=True, help="of the data set, for the command printed")
    parser.add_argument("--val", default="2%", help="share of the documents, or a file (2%%)")
    parser.add_argument("--test", default="2%", help="share of the documents, or a file (2%%)")
    parser.add_argument("--eod", help="the token that ends a document, if it is none of "
                        + " ".join(LIKELY_ENDS))
    parser.add_argument("--tokenizer-name",
                        help="by which sets of one tokenizer know each other (hf-HASH of the file)")
    parser.add_argument("--jsonl-key", default="text", help="holds a line's text")
    options = parser.parse_args()

    path = pathlib.Path(options.tokenizer)
    tokenizer = read_tokenizer(path)
    end = end_id(tokenizer, options.eod)
    vocabulary = max(tokenizer.get_vocab(with_added_tokens=True).values()) + 1
    file_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        splits, left_out = encode(options, tokenizer, vocabulary, end)
    except OSError as error:
        fail(f"{error.filename or options.out}: {error.strerror}")
    record = {"tokenizer": options.tokenizer_name or f"hf-{file_hash[:12]}",
              "tokenizer_sha256": file_hash, "vocab_size": vocabulary, "eod": end,
              "documents_left_out": left_out, "splits": splits}
    part = pathlib.Path(options.out) / "ids.json.part"
    part.write_text(json.dumps(record, indent=2) + "\n")
    os.replace(part, pathlib.Path(options.out) / "ids.json")
    for name, count in splits.items():
        if lost := lost_text(count):
            print(f"encode_hf.py: {name}: {lost}: its ids do not hold all of its text, so its bytes "
                  "are not in the command, and runs have no bits_per_byte on it", file=sys.stderr)
    print(import_command(options, record))


if __name__ == "__main__":
    main()
