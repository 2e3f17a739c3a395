import subprocess
import sys

ASKING = """
import os, sys
started = []
sys.addaudithook(lambda event, facts: started.append(event) if event in ("subprocess.Popen", "os.fork") else None)
from leukoscope.host import clock_synchronised
print(clock_synchronised() in (True, False, None), started)
"""


def test_asking_whether_the_clock_is_synchronised_starts_no_program() -> None:
    done = subprocess.run([sys.executable, "-c", ASKING], capture_output=True, text=True, check=True)
    assert done.stdout == "True []\n"
