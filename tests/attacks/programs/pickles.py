"""Pickles under the names of model files: `python pickles.py FOLDER`."""

from __future__ import annotations

import io
import pickle
import sys
import tarfile
from pathlib import Path

import torch
from places import Evil, Place, make_all, rewritten


def module(place: Place) -> None:
    """A whole module, pickled."""
    torch.save(Evil(place), place.model / "model.pt")


def bare(place: Place) -> None:
    """A pickle without torch's archive."""
    (place.model / "model.pt").write_bytes(pickle.dumps(Evil(place), protocol=2))


def among_weights(place: Place) -> None:
    """A state_dict with one value that is no tensor."""
    torch.save({"weight": torch.ones(2), "more": Evil(place)}, place.model / "model.pth")


def older_archive(place: Place) -> None:
    """The tar archive of torch 0.1, which holds several pickles."""
    with tarfile.open(place.model / "model.pt", "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            data = pickle.dumps(Evil(place), protocol=2)
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def said_to_be_torchscript(place: Place) -> None:
    """A pickle with an empty `code/`, so that it is taken for TorchScript."""
    buffer = io.BytesIO()
    torch.save(Evil(place), buffer)
    (place.model / "model.pt").write_bytes(
        rewritten(
            buffer.getvalue(), {}, {"constants.pkl": pickle.dumps(Evil(place), protocol=2), "code/__torch__.py": b""}
        )
    )


ATTACKS = {one.__name__: one for one in (module, bare, among_weights, older_archive, said_to_be_torchscript)}

if __name__ == "__main__":
    make_all(ATTACKS, Path(sys.argv[1]))
    torch.save({"weight": torch.ones(2)}, Path(sys.argv[1]) / "legitimate.pth")
