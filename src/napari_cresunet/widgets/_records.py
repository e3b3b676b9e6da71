"""What this plugin notes down on layers."""

from typing import Any

_KEY = "cresunet"
BATCH = "batch"
"""Noted down on labels that the dock Batch saves."""


def record_of(layer: Any) -> dict[str, Any]:
    """Return what this plugin noted down on a layer; empty for layers of others."""
    record = layer.metadata.get(_KEY)
    return record if isinstance(record, dict) else {}
