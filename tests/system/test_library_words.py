"""What C libraries print does not reach the terminal as it is."""

import subprocess
import sys

PROGRAM = """
import os, sys
from leukoscope.system.library_words import library_words
with library_words() as words:
    os.write(2, b"LZWDecode: Using code not yet in table.\\nsecond line\\n")
    print("ours", file=sys.stderr)
    print(repr(words()), repr(words()))
    os.write(2, b"x" * 5000)
    print(len(words()))
print("after", file=sys.stderr)
os.write(2, b"raw again\\n")
"""


def test_words_of_libraries_are_kept_aside_and_our_own_are_not() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["'LZWDecode: Using code not yet in table.; second line' ''", "300"]
    assert done.stderr.splitlines() == ["ours", "after", "raw again"]
