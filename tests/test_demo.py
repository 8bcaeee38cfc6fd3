"""The demo on a still and a sentence of the test's own, and the contact sheet."""

import numpy as np
import pytest
import torch
from skimage import data

from talker.config import ModelConfig
from talker.corpora.rendered import render_clip
from talker.demo import ASSETS, contact_sheet, demo
from talker.errors import TalkerError
from talker.media import read_audio, read_image, write_audio, write_image
from talker.models.generator import Generator
from talker.video import read_video


def test_demo_writes_a_video_and_a_sheet_and_says_where(tmp_path, capsys):
    torch.manual_seed(0)
    config = ModelConfig(width=4, audio_width=4, identity_dim=16, content_dim=16)
    write_image(tmp_path / "still.png", data.astronaut()[40:168, 180:276])
    write_audio(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.1, 24000), 16000)
    video, sheet = demo(
        tmp_path / "out",
        still=tmp_path / "still.png",
        sentence=tmp_path / "a.wav",
        generator=Generator(config).eval(),
    )
    assert read_video(video)[0].shape[0] == 38  # 1.5 s
    assert read_image(sheet).shape[1] > 6 * 192
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["contact_sheet.png", "demo.mp4"]
    said = capsys.readouterr().out
    assert str(video) in said and str(sheet) in said
    assert "s  animate the still" in said and "s  make the contact sheet" in said


@pytest.mark.slow
def test_what_is_packaged_is_the_clip_that_its_description_names():
    """An older renderer's face would be one that the weights have not learnt to move."""
    frames, sound, truth = render_clip(44, 0)
    gap = read_image(ASSETS / "still.png").astype(float) - frames[0]
    assert np.abs(gap).mean() < 1  # another processor rounds otherwise
    assert np.abs(read_audio(ASSETS / "sentence.wav")[0] - sound).max() < 1e-3
    assert truth["text"] in (ASSETS / "README.md").read_text()


def test_a_missing_asset_is_named(tmp_path):
    with pytest.raises(TalkerError, match=r"gone\.png is missing"):
        demo(tmp_path, still=tmp_path / "gone.png", sentence=tmp_path / "gone.wav")


def test_contact_sheet_shows_the_still_and_a_frame_every_fifth_of_a_second():
    still = np.full((128, 96, 3), 10, np.uint8)
    levels = np.arange(50, 50 + 4 * 36, 4, dtype=np.uint8)  # frame t has level 50 + 4 t
    frames = np.broadcast_to(levels[:, None, None, None], (36, 128, 96, 3))
    sheet = contact_sheet(still, frames, fps=25.0, columns=4)
    height, width = 128, 96  # gap 4, label 14: see the positions below
    shown = []
    for row in range(3):
        for column in range(4):
            y, x = 4 + row * (height + 14 + 4), 4 + column * (width + 4)
            patch = sheet[y : y + height, x : x + width]
            shown.append(int(patch[0, 0, 0]))
            assert (patch == patch[0, 0]).all()
    assert sheet.shape == (3 * (height + 18) + 4, 4 * (width + 4) + 4, 3)
    assert shown == [10, *levels[::5].tolist(), 255, 255, 255]
    labels = sheet[4 + height : 4 + height + 14]
    assert labels.min() < 150  # something is written under the pictures
