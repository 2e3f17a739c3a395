import subprocess
import sys


def test_a_central_side_without_its_libraries_says_what_to_install() -> None:
    without = "import sys; sys.modules['prometheus_client'] = None; import leukoscope_collector.__main__"
    done = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "leukoscope-collector: prometheus_client is not installed: pip install 'leukoscope[collector]'\n"
    )
