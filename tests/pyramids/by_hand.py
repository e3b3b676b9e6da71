"""OME-Zarr as other programs write it: by plain calls of zarr, and JSON by hand."""

import json

import numpy as np
import zarr

UNITS = {"y": "micrometer", "x": "micrometer"}
TYPES = {"t": "time", "c": "channel"}


def axes(names, units=UNITS):
    return [
        {"name": name, "type": TYPES.get(name, "space")}
        | ({"unit": units[name]} if name in units else {})
        for name in names
    ]


def scales(*levels):
    steps = [[{"type": "scale", "scale": np.ravel(one).tolist()}] for one in levels]
    return [
        {"path": str(number), "coordinateTransformations": step}
        for number, step in enumerate(steps)
    ]


def write_arrays(folder, levels, zarr_format, chunk=64):
    for number, level in enumerate(levels):
        array = zarr.create_array(
            folder / str(number),
            shape=level.shape,
            dtype=level.dtype,
            chunks=tuple(min(n, chunk) for n in level.shape),
            zarr_format=zarr_format,
        )
        array[...] = level


def write_attributes(folder, ome, version):
    folder.mkdir(exist_ok=True, parents=True)
    if version == "0.5":
        document = {"zarr_format": 3, "node_type": "group"}
        document["attributes"] = {"ome": {"version": "0.5"} | ome}
        (folder / "zarr.json").write_text(json.dumps(document))
    else:
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
        (folder / ".zattrs").write_text(json.dumps(ome))


def write_image(folder, levels, names, *, version="0.5", scale=None, **ome):
    """Write levels, whose axes have these names, with pixels of `scale` µm."""
    write_arrays(folder, levels, 3 if version == "0.5" else 2)
    full = np.multiply(scale or 1.0, levels[0].shape)
    by_level = [full / np.maximum(level.shape, 1) for level in levels]
    image = {"axes": axes(names), "datasets": scales(*by_level)}
    if version == "0.4":
        image["version"] = "0.4"
    write_attributes(folder, {"multiscales": [image]} | ome, version)
    return folder
