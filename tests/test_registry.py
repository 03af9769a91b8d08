"""Manifests, adapters and routes."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from safeconvert.errors import UnusableInput
from safeconvert.registry import FORMATS, adapters, exporters, find, framework, parse_route, read_manifest, routes

KNOWN = adapters()


@pytest.mark.parametrize(("source", "target"), list(permutations(FORMATS, 2)))
def test_every_pair_has_a_route_that_leads_there_without_a_circle(source: str, target: str) -> None:
    found = routes(source, target, KNOWN)
    assert found
    for route in found:
        assert route.formats[0] == source and route.formats[-1] == target
        assert len(set(route.formats)) == len(route.formats) == len(route.adapters) + 1
    assert [len(route.adapters) for route in found] == sorted(len(route.adapters) for route in found)
    assert parse_route(",".join(found[0].names), source, target, KNOWN).names == found[0].names


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_framework_and_an_exporter(name: str) -> None:
    assert framework(name, KNOWN).format == name
    assert bool(exporters(name, KNOWN)) == (name != "onnx")


@pytest.mark.parametrize("adapter", KNOWN, ids=lambda adapter: adapter.name)
def test_manifests_are_complete(adapter) -> None:
    assert adapter.summary and adapter.advice and adapter.packages and adapter.modules
    assert adapter.folder.name == adapter.name and (adapter.folder / "adapter.py").is_file()
    assert (adapter.kind == "framework") == bool(adapter.format) and (adapter.kind == "converter") == bool(
        adapter.steps
    )


@pytest.mark.parametrize(
    "text", ["name = ", 'name = "x"\n', 'name = "x"\nsummary = "s"\nkind = "converter"\nspeed = 3\n']
)
def test_a_manifest_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "adapter.toml"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=r"adapter\.toml"):
        read_manifest(path)


@pytest.mark.parametrize("text", ["nobody", "onnx2torch", "tf2onnx,tf2onnx", "torch_onnx_script,onnx2keras,onnx2torch"])
def test_a_route_that_leads_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(UnusableInput) as raised:
        parse_route(text, "torch", "keras", KNOWN)
    assert raised.value.advice


def test_an_unknown_adapter_names_the_known() -> None:
    with pytest.raises(UnusableInput) as raised:
        find("nobody", KNOWN)
    assert "onnx2keras" in raised.value.advice
