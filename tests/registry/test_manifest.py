"""Manifests, adapters and routes."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from safeconvert.core.formats import FORMATS
from safeconvert.errors import UnusableInput
from safeconvert.registry.manifest import (
    LAST_RESORT,
    Adapter,
    Step,
    adapters,
    exporters,
    find,
    framework,
    read_manifest,
)
from safeconvert.registry.routes import parse_route, routes, worth_trying

KNOWN = adapters()


@pytest.mark.parametrize(("source", "target"), list(permutations(FORMATS, 2)))
def test_every_pair_has_a_route_that_leads_there_without_a_circle(source: str, target: str) -> None:
    found = routes(source, target, KNOWN)
    assert found
    for route in found:
        assert route.formats[0] == source and route.formats[-1] == target
        assert len(set(route.formats)) == len(route.formats) == len(route.adapters) + 1
        assert parse_route(" , ".join(route.names), source, target, KNOWN) == route
    order = [(route.last_resort, len(route.adapters)) for route in found]
    assert order == sorted(order)
    assert len(found) >= 2


def test_the_last_resort_is_tried_behind_the_real_converters_whatever_the_limit() -> None:
    ways = worth_trying(routes("torch", "keras", KNOWN), 1)
    assert [way.names for way in ways] == [
        ("torch_onnx_script", "onnx2keras"),
        ("torch_onnx_script", "keras_ops"),
        ("torch_onnx_dynamo", "keras_ops"),
    ]
    assert worth_trying(routes("onnx", "torch", KNOWN), 4)[-1].names == ("torch_ops",)
    assert not any(way.last_resort for way in worth_trying(routes("torch", "onnx", KNOWN), 4))


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


GOOD = {"name": '"x"', "summary": '"s"', "kind": '"converter"', "converts": '[{ from = "onnx", to = "torch" }]'}


def manifest(folder: Path, **members: str | None) -> Path:
    """A manifest like GOOD but for some members; None leaves one out."""
    path = folder / "adapter.toml"
    path.write_text("".join(f"{key} = {value}\n" for key, value in (GOOD | members).items() if value is not None))
    return path


def test_what_a_manifest_leaves_out_has_a_default(tmp_path: Path) -> None:
    read = read_manifest(manifest(tmp_path))
    assert read == Adapter("x", "s", "converter", "", (), (), (Step("onnx", "torch", 50),), "", tmp_path)


@pytest.mark.parametrize(
    "members",
    [
        {"name": None},
        {"summary": None},
        {"kind": None},
        {"name": ""},
        {"name": "3"},
        {"speed": "3"},
        {"advice": "[]"},
        {"kind": '"convertor"'},
        {"kind": '"framework"'},
        {"kind": '"framework"', "format": '"caffe"'},
        {"format": '"onnx"'},
        {"modules": "3"},
        {"modules": '"torch"'},
        {"packages": "[1]"},
        {"requirements": '"x"'},
        {"requirements": '["-e ."]'},
        {"converts": "3"},
        {"converts": '["torch"]'},
        {"converts": '[{ from = "torch" }]'},
        {"converts": '[{ from = "torch", to = "kers" }]'},
        {"converts": '[{ from = ["torch"], to = "onnx" }]'},
        {"converts": '[{ from = "torch", to = "onnx", rank = "x" }]'},
        {"converts": '[{ from = "torch", to = "onnx", rank = true }]'},
        {"converts": '[{ from = "torch", to = "onnx", rang = 3 }]'},
    ],
    ids=str,
)
def test_a_manifest_that_means_nothing_is_named(members: dict[str, str | None], tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=r"adapter\.toml"):
        read_manifest(manifest(tmp_path, **members))


def test_a_manifest_that_is_no_text_or_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=r"adapter\.toml"):
        read_manifest(tmp_path / "adapter.toml")
    (tmp_path / "adapter.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(UnusableInput, match=r"adapter\.toml"):
        read_manifest(tmp_path / "adapter.toml")


def test_a_folder_of_ones_own_adds_adapters_and_replaces_those_of_the_same_name(tmp_path: Path) -> None:
    for name in ("mine", "onnx2torch"):
        (tmp_path / name).mkdir()
        manifest(tmp_path / name, name=f'"{name}"', summary='"my own"')
    found = {adapter.name: adapter for adapter in adapters((tmp_path,))}
    assert found.keys() == {adapter.name for adapter in KNOWN} | {"mine"}
    assert found["onnx2torch"].folder == tmp_path / "onnx2torch" and found["mine"].summary == "my own"


def made(name: str, *steps: tuple[str, str, int]) -> Adapter:
    return Adapter(name, "s", "converter", "", (), (), tuple(Step(*step) for step in steps), "", Path())


def test_fewer_steps_go_first_and_then_the_lower_rank() -> None:
    known = [
        made("b", ("torch", "keras", 60)),
        made("a", ("torch", "keras", 60)),
        made("c", ("torch", "keras", 20)),
        made("d", ("torch", "onnx", 1)),
        made("e", ("onnx", "keras", 1)),
    ]
    assert [route.names for route in routes("torch", "keras", known)] == [("c",), ("a",), ("b",), ("d", "e")]
    assert exporters("torch", known) == (known[3],)


def test_who_holds_the_weights_several_times_goes_behind_for_large_models() -> None:
    wasteful = Adapter("a", "s", "converter", "", (), (), (Step("torch", "onnx", 10, (), 1000),), "", Path())
    known = [wasteful, made("b", ("torch", "onnx", 20)), made("last", ("torch", "onnx", LAST_RESORT))]
    for size, first in ((1000, "a"), (1001, "b")):
        assert exporters("torch", known, "pickle", size)[0].name == first
        found = routes("torch", "onnx", known, "pickle", size)
        assert found[0].names == (first,) and found[-1].names == ("last",)
    assert {step.largest for one in KNOWN if one.name == "torch_onnx_script" for step in one.steps} == {1 << 29}


def test_a_route_is_found_where_its_first_step_could_lead_astray() -> None:
    """`both` makes two formats, `on` takes either, and only one of the two leads to the target."""
    both = made("both", ("torch", "keras", 1), ("torch", "tf", 1))
    on = made("on", ("keras", "onnx", 1), ("tf", "tflite", 1))
    assert parse_route("both,on", "torch", "tflite", [both, on]).formats == ("torch", "tf", "tflite")
    assert parse_route("both,on", "torch", "onnx", [both, on]).formats == ("torch", "keras", "onnx")


@pytest.mark.parametrize("text", ["nobody", "onnx2torch", "tf2onnx,tf2onnx", "torch_onnx_script,onnx2keras,onnx2torch"])
def test_a_route_that_leads_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(UnusableInput) as raised:
        parse_route(text, "torch", "keras", KNOWN)
    assert raised.value.advice


def test_an_unknown_adapter_names_the_known() -> None:
    with pytest.raises(UnusableInput) as raised:
        find("nobody", KNOWN)
    assert "onnx2keras" in raised.value.advice
