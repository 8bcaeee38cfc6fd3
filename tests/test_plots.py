"""What the chapters share in showing things."""

import io

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from talker import plots


@pytest.fixture(autouse=True)
def _closed():
    with plt.rc_context(plots.STYLE):
        yield
    plt.close("all")


def opened(stored: bytes) -> Image.Image:
    return Image.open(io.BytesIO(stored))


def test_a_drawing_is_a_png_of_the_page_s_width_that_keeps_a_thin_line_s_colour() -> None:
    figure, axes = plt.subplots()
    axes.plot([0, 1], [0, 1], color=plots.VERMILION, linewidth=1)
    assert plots.as_jpeg(figure) is None
    image = opened(plots.as_png(figure)).convert("RGB")
    assert image.width == round(plots.WIDTH * plots.DPI)
    wanted = np.array([0xD5, 0x5E, 0x00])
    assert np.abs(np.asarray(image).astype(int) - wanted).sum(axis=2).min() < 12


def test_a_heat_map_is_a_drawing_and_a_photograph_is_not() -> None:
    for shape, is_photograph in (((8, 6), False), ((8, 6, 3), True)):
        figure, axes = plt.subplots()
        axes.imshow(np.zeros(shape))
        assert (plots.as_png(figure) is None) == is_photograph
        assert (plots.as_jpeg(figure) is None) != is_photograph


def test_a_strip_shows_tensors_and_pictures_alike() -> None:
    grey = torch.zeros(3, 128, 96)
    dark = np.full((128, 96, 3), 7, np.uint8)
    figure = plots.strip({"a": [grey, grey, grey], "b": [dark]}, ["x", "y", "z"])
    shown = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert [array.dtype for array in shown] == [np.uint8] * 4
    assert [int(array.max()) for array in shown] == [128, 128, 128, 7]
    assert [axes.get_title() for axes in figure.axes[:3]] == ["x", "y", "z"]
    assert [figure.axes[0].get_ylabel(), figure.axes[3].get_ylabel()] == ["a", "b"]


def test_the_waveform_keeps_a_single_peak_of_a_long_recording() -> None:
    signal = torch.zeros(160_000)
    signal[77_777] = 0.9
    _, axes = plt.subplots()
    plots.waveform(axes, signal, rate=16_000)
    outline = axes.collections[0].get_paths()[0].vertices
    assert outline[:, 1].max() == pytest.approx(0.9)
    assert outline[outline[:, 1].argmax(), 0] == pytest.approx(77_777 / 16_000, abs=0.01)


@pytest.mark.parametrize("diagram", [plots.system_diagram, plots.judges_diagram])
def test_a_diagram_lights_only_the_boxes_that_are_named(diagram) -> None:
    figure = diagram({"audio"})
    white = (1.0, 1.0, 1.0, 1.0)
    lit = [patch for patch in figure.axes[0].patches if patch.get_facecolor() != white]
    boxes = [patch for patch in lit if hasattr(patch, "get_boxstyle") and patch.get_width() > 1]
    assert len(boxes) == 1


def test_source_is_shown_dedented_as_python() -> None:
    shown = plots.show_source(plots.picture, plots.as_png).data
    assert shown.startswith("```python\ndef picture(")
    assert "\n\n\ndef as_png(" not in shown and "\n\ndef as_png(" in shown
    assert shown.endswith("\n```")
