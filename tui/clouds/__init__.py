"""The registry of clouds: where each one's adapter is, as text, so that naming a cloud imports neither it nor its SDK.

May import the ports and the model only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import cast

from tui.model.node import Cloud
from tui.ports import CloudOptions, CloudReader, CloudWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudEntry:
    """One cloud: its name for people, and its two classes as ``module:Class``."""

    title: str
    reader: str
    writer: str


CLOUDS: Mapping[Cloud, CloudEntry] = MappingProxyType(
    {
        Cloud.AWS: CloudEntry(title="Amazon EC2", reader="tui.clouds.aws:AwsReader", writer="tui.clouds.aws:AwsWriter"),
        Cloud.GCE: CloudEntry(
            title="Google Compute Engine", reader="tui.clouds.gce:GceReader", writer="tui.clouds.gce:GceWriter"
        ),
        Cloud.AZURE: CloudEntry(
            title="Microsoft Azure", reader="tui.clouds.azure:AzureReader", writer="tui.clouds.azure_writes:AzureWriter"
        ),
    }
)
"""One line per cloud. A cloud without a line cannot be read by this version."""


def load_reader(cloud: Cloud) -> Callable[[CloudOptions], CloudReader]:
    """Import the cloud's adapter and return its reader class. Raises ``KeyError`` for a cloud without an entry."""
    return cast("Callable[[CloudOptions], CloudReader]", _resolve(CLOUDS[cloud].reader))


def load_writer(cloud: Cloud) -> Callable[[CloudOptions], CloudWriter]:
    """Import the cloud's adapter and return its writer class. Raises ``KeyError`` for a cloud without an entry."""
    return cast("Callable[[CloudOptions], CloudWriter]", _resolve(CLOUDS[cloud].writer))


def _resolve(reference: str) -> object:
    module, _, name = reference.partition(":")
    return cast("object", getattr(import_module(module), name))
