"""Where what is kept about a cluster stands: one file per cluster and purpose, in the state folder."""

import hashlib
import re
from pathlib import Path

from tui.model.snapshot import Cluster


def cluster_file(folder: Path, purpose: str, cluster: Cluster) -> Path:
    """Return the file: the context's name for people, a digest of the server for identity."""
    digest = hashlib.sha256(cluster.server.encode()).hexdigest()[:8]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", cluster.context).strip(".-")[:64] or "cluster"
    return folder / purpose / f"{name}-{digest}.jsonl"
