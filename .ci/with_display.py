"""Run a command that opens windows: as it is, or under Xvfb where no display is."""

import os
import shutil
import subprocess
import sys


def main(command: list[str]) -> int:
    """Run the command and return its exit status."""
    is_linux = sys.platform.startswith("linux")
    if is_linux and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        if shutil.which("xvfb-run") is None:
            sys.exit("There is no display: set DISPLAY or install xvfb and xauth.")
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1200x24", *command]
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
