"""HDF5 files whose data lie elsewhere: they would be read from the machine as the model's weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py


def foreign_data(file: Any) -> Iterator[str]:
    """Every link and array of an opened HDF5 file that leads to another file, a sentence each; none is followed."""
    seen: set[int] = set()
    waiting = [("", file)]
    while waiting:
        path, group = waiting.pop()
        for name in group:
            destination = f"{path}/{name}"
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                yield f"{destination} is a link to {link.filename}"
                continue
            if isinstance(link, h5py.SoftLink):
                continue  # its own file again, where it is met as what it is
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
            if isinstance(item, h5py.Group):
                waiting.append((destination, item))
            elif isinstance(item, h5py.Dataset) and item.external:
                yield f"the data of {destination} lie in {item.external[0][0]}"
            elif isinstance(item, h5py.Dataset) and item.is_virtual:
                yield f"the data of {destination} lie in {', '.join(sorted({source.file_name for source in item.virtual_sources()}))}"
