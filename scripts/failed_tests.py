#!/usr/bin/env python3
"""Prints the tests that failed and the end of what each printed, from records of ctest (JUnit).

    scripts/failed_tests.py [--lines N] build/release/ctest.xml …

For the end of a log too long to be kept whole. A record that is absent or cut short is said."""

import argparse
import sys
from xml.etree import ElementTree


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=40, metavar="N", help="at most, of each test")
    parser.add_argument("record", nargs="+")
    arguments = parser.parse_args()
    for record in arguments.record:
        try:
            tests = ElementTree.parse(record).getroot().iter("testcase")
        except (OSError, ElementTree.ParseError) as error:
            print(f"{record}: {error}")
            continue
        for test in tests:
            if test.get("status") != "fail":
                continue
            print(f"-- {record}: {test.get('name')} failed after {test.get('time')} s")
            printed = (test.findtext("system-out") or "").splitlines()
            print("\n".join(printed[-arguments.lines :]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
