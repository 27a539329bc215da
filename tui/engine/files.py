"""Where what is kept about a cluster stands: one file per cluster and purpose, in the state folder."""

import hashlib
import os
import re
import tempfile
from pathlib import Path

from tui.model.snapshot import Cluster


def cluster_file(folder: Path, purpose: str, cluster: Cluster, suffix: str = ".jsonl") -> Path:
    """Return the file: the context's name for people, a digest of the server for identity."""
    digest = hashlib.sha256(cluster.server.encode()).hexdigest()[:8]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", cluster.context).strip(".-")[:64] or "cluster"
    return folder / purpose / f"{name}-{digest}{suffix}"


def write_whole(path: Path, text: str) -> None:
    """Write an ASCII text so that the file holds the old content or the new, whole, and only its owner can read it.

    Raises ``OSError``.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
