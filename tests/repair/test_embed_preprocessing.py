"""From one preprocessing to another by a factor and an offset a channel."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from safeconvert.inputs.preprocessing import Preprocessing, apply
from safeconvert.repair.embed_preprocessing import across

numbers = st.floats(-50, 50, width=16)
positive = st.floats(0.25, 8, width=16)
recipes = st.builds(
    Preprocessing,
    st.just("drawn"),
    st.just("drawn"),
    scale=st.sampled_from([1.0, 1 / 255, 1 / 127.5]),
    mean=st.tuples(numbers, numbers, numbers),
    std=st.tuples(positive, positive, positive),
    channel_order=st.sampled_from(["RGB", "BGR"]),
)


@settings(deadline=None, max_examples=60)
@given(recipes, recipes, st.sampled_from([1, 3]))
def test_it_carries_deployed_pictures_into_the_source_s_values(
    ours: Preprocessing, theirs: Preprocessing, channels: int
) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8))
    wanted, fed = (apply(picture, recipe, None, channels).astype(np.float64) for recipe in (ours, theirs))
    affine = across(ours, theirs, channels)
    got = (fed[..., ::-1] if affine.reverse else fed) * np.array(affine.factor) + np.array(affine.offset)
    scale = max(np.abs(fed * np.array(affine.factor)).max(), np.abs(affine.offset).max(), np.abs(wanted).max(), 1.0)
    assert np.abs(got - wanted).max() <= 1e-5 * scale
