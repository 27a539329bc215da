"""Run every check of the project, in the order in which they are quick: ``python tools/check.py [--no-tests]``."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parent.parent
CHECKS = {
    "format": ("ruff", "format", "--check", "."),
    "lint": ("ruff", "check", "."),
    "imports": ("lint-imports", "--no-cache"),
    "types": ("mypy",),
    "screenshots": (sys.executable, "tools/screenshots.py", "--check"),
    "tests": (sys.executable, "-m", "pytest", "-n", "2"),
}


def main(arguments: Sequence[str]) -> int:
    """Run the checks, all of them even when one fails; return 1 when one did, 2 for an unknown argument."""
    if set(arguments) - {"--no-tests"}:
        print(__doc__, file=sys.stderr)
        return 2
    failed: list[str] = []
    for name, command in CHECKS.items():
        if name == "tests" and "--no-tests" in arguments:
            continue
        print(f"== {name}: {' '.join(command)}", flush=True)
        began_s = monotonic()
        code = subprocess.run(_beside_this_python(command), cwd=ROOT, check=False).returncode
        print(f"== {name}: {'ok' if code == 0 else f'failed ({code})'} after {monotonic() - began_s:.0f} s", flush=True)
        if code != 0:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed", flush=True)
    return 1 if failed else 0


def _beside_this_python(command: tuple[str, ...]) -> tuple[str, ...]:
    """Prefer the tools of the environment that runs this script over whatever else is on the PATH."""
    tool = Path(sys.executable).parent / command[0]
    return (str(tool), *command[1:]) if tool.exists() else command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
