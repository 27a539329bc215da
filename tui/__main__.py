"""``python -m tui``: the same command as ``l2bridge-tui``."""

import sys

from tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
