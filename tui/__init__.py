"""l2bridge-tui: the cloud networking of clusters with routed pod CIDRs, seen, planned, fixed and proven.

Holds the version and imports nothing, so that asking for it costs nothing.
"""

__version__ = "0.1.0"
