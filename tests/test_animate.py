"""The whole line, through real photographs, real sound files and real videos."""

import itertools

import av
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from talker import animate as module
from talker.animate import animate, generate, load_still, stream_audio_frames, to_pictures
from talker.audio import audio_frames
from talker.config import AudioConfig, ModelConfig
from talker.errors import TalkerError
from talker.faces import Face
from talker.media import read_audio, summarise_audio, write_audio, write_image
from talker.models.generator import Generator
from talker.video import read_video

AUDIO = AudioConfig()


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(0)
    # Group norm, because untrained batch statistics make every output the same grey.
    config = ModelConfig(
        width=4, audio_width=4, identity_dim=16, content_dim=16, normalisation="group"
    )
    return Generator(config).eval()


@pytest.fixture
def crop(tmp_path):
    """An aligned still of the size that the generator takes."""
    path = tmp_path / "crop.png"
    write_image(path, data.astronaut()[40:168, 180:276])
    return path


@pytest.fixture
def sentence(tmp_path):
    """1.23 s of noise with a click, at 44.1 kHz."""
    signal = np.random.default_rng(0).normal(0, 0.02, 54243).astype(np.float32)
    signal[30000] = 0.9
    write_audio(tmp_path / "sentence.wav", signal, 44100)
    return tmp_path / "sentence.wav"


class FixedFaces:
    """A detector that answers with boxes given in advance, all with the same landmarks."""

    def __init__(self, *boxes):
        landmarks = np.random.default_rng(0).uniform(0, 100, (68, 2)).astype(np.float32)
        self.faces = [Face(box, landmarks, 1.0) for box in boxes]

    def detect(self, image):
        return self.faces


# ---- streaming


@pytest.mark.parametrize("samples", [100, 640, 3200, 16000, 50001])
@pytest.mark.parametrize(("block", "chunk"), [(441, 25), (1024, 7), (50001, 1), (7, 13)])
def test_streamed_audio_frames_are_those_of_the_whole_signal(samples, block, chunk):
    signal = np.random.default_rng(0).normal(size=samples).astype(np.float32)
    whole = audio_frames(torch.from_numpy(signal), AUDIO)
    pieces = (signal[cut : cut + block] for cut in range(0, samples, block))
    chunks = list(stream_audio_frames(pieces, AUDIO, len(whole), chunk))
    assert all(part.shape[1] == chunk for part in chunks[:-1])
    assert torch.equal(torch.cat(chunks, dim=1)[0], whole)


def test_streaming_reads_no_further_than_it_must():
    """From sound without end: memory does not grow with the length of the recording."""
    taken = itertools.count()
    endless = (np.full(1000, next(taken), np.float32) for _ in itertools.repeat(None))
    chunks = stream_audio_frames(endless, AUDIO, 10**9)
    held = []
    for done in range(1, 40):
        part = next(chunks)
        assert part.shape == (1, 25, 3200)
        held.append(next(taken) * 1000 - done * 25 * 640)
    assert max(held) < 12 * 640 + 40 * 1000  # counting is itself one block a time
    assert chunks.gi_frame.f_locals["held"].size < 40 * 640


def test_only_one_chunk_is_decoded_at_a_time(generator, monkeypatch):
    decoded = []
    decode = generator.decode

    def spy(code, z_c, z_n):
        decoded.append(z_c.shape[1])
        return decode(code, z_c, z_n)

    monkeypatch.setattr(generator, "decode", spy)
    code = generator.encode_still(torch.zeros(1, 3, 128, 96))
    endless = (torch.zeros(1, 25, 3200) for _ in itertools.repeat(None))
    frames = generate(generator, code, endless, seed=0)
    for count in range(1, 4):
        assert next(frames).shape == (25, 128, 96, 3)
        assert decoded == [25] * count


@pytest.mark.parametrize("chunk", [1, 7, 25])
def test_cuts_do_not_show(generator, chunk):
    """Chunk by chunk with carried states gives the frames of one pass over everything."""
    torch.manual_seed(1)
    sound, still = torch.randn(1, 20, 3200) * 0.1, torch.rand(1, 3, 128, 96) * 2 - 1
    source = torch.Generator().manual_seed(5)
    noise = torch.cat([generator.noise_generator.draw(1, 1, source) for _ in range(20)], dim=1)
    with torch.inference_mode():
        whole = to_pictures(generator(still, sound, noise)[0])
        code = generator.encode_still(still)
    assert np.abs(np.diff(whole.astype(int), axis=0)).max(axis=(1, 2, 3)).min() > 3  # it moves
    parts = list(generate(generator, code, sound.split(chunk, dim=1), seed=5))
    assert np.abs(np.concatenate(parts).astype(int) - whole).max() <= 1


def test_pictures_from_tensors():
    values = torch.tensor([-1.0, 1.0, 0.0, -1.5, 1.5]).reshape(1, 1, 1, 5).expand(1, 3, 1, 5)
    assert to_pictures(values)[0, 0, :, 0].tolist() == [0, 255, 128, 0, 255]


# ---- the video


def test_a_photograph_and_a_recording_become_a_video(tmp_path, generator, sentence):
    write_image(tmp_path / "photo.jpg", data.astronaut())
    out = tmp_path / "videos" / "out.mp4"
    assert animate(tmp_path / "photo.jpg", sentence, out, generator=generator) == [out]
    frames, fps = read_video(out)
    assert frames.shape == (31, 256, 192, 3)  # 1.23 s at 25 fps, enlarged twice
    assert fps == 25
    signal, rate = read_audio(out)
    assert rate == 44100 and len(signal) == 54243
    assert np.abs(signal).argmax() == 30000  # the click, to the sample
    with av.open(str(out)) as container:
        assert container.metadata["comment"].startswith("Synthetic video made by talker")
    assert [p.name for p in out.parent.iterdir()] == ["out.mp4"]


def test_the_same_command_gives_the_same_bytes(tmp_path, generator, crop, sentence):
    for name in ("a", "b"):
        out = tmp_path / f"{name}.mp4"
        animate(crop, sentence, out, generator=generator, aligned=True, seed=3)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_variations_differ_by_their_noise_alone(tmp_path, generator, crop, sentence, monkeypatch):
    encoded = []
    encode = generator.encode_still
    monkeypatch.setattr(generator, "encode_still", lambda s: (encoded.append(s), encode(s))[1])
    options = {"generator": generator, "aligned": True, "scale": 1}
    paths = animate(crop, sentence, tmp_path / "v.mp4", **options, variations=3, seed=10)
    assert [path.name for path in paths] == ["v-1.mp4", "v-2.mp4", "v-3.mp4"]
    assert len(encoded) == 1  # one still, one code
    (single,) = animate(crop, sentence, tmp_path / "single.mp4", **options, seed=11)
    assert single.read_bytes() == paths[1].read_bytes()
    assert paths[0].read_bytes() != paths[1].read_bytes()


def test_sound_of_a_video_is_animated(tmp_path, generator, crop, sentence):
    animate(crop, sentence, tmp_path / "a.mp4", generator=generator, aligned=True)
    animate(crop, tmp_path / "a.mp4", tmp_path / "b.mp4", generator=generator, aligned=True)
    assert len(read_video(tmp_path / "b.mp4")[0]) == 31
    assert summarise_audio(tmp_path / "b.mp4").samples == 54243


def test_less_than_a_frame_of_sound_is_one_frame(tmp_path, generator, crop):
    write_audio(tmp_path / "short.wav", np.full(50, 0.1), 16000)
    out = tmp_path / "a.mp4"
    animate(crop, tmp_path / "short.wav", out, generator=generator, aligned=True, scale=1)
    assert read_video(out)[0].shape == (1, 128, 96, 3)


# ---- the still


def test_an_aligned_still_is_taken_as_it_is(crop, tmp_path):
    assert np.array_equal(load_still(crop, aligned=True), np.array(Image.open(crop)))
    Image.open(crop).resize((288, 384)).save(tmp_path / "large.png")
    assert load_still(tmp_path / "large.png", aligned=True).shape == (128, 96, 3)
    Image.open(crop).resize((128, 128)).save(tmp_path / "square.png")
    with pytest.raises(TalkerError, match=r"square\.png is 128x128 .*--aligned"):
        load_still(tmp_path / "square.png", aligned=True)


def test_no_face_is_said(tmp_path):
    write_image(tmp_path / "cup.png", data.coffee())
    with pytest.raises(TalkerError, match=r"no face was found in .*cup\.png"):
        load_still(tmp_path / "cup.png")


def test_of_several_faces_the_largest_is_taken_and_said(crop, capsys):
    detector = FixedFaces((0, 0, 10, 10), (20, 0, 50, 30), (60, 0, 70, 10))
    load_still(crop, detector=detector)
    assert "3 faces" in (said := capsys.readouterr().err) and "number 2 from the left" in said
    load_still(crop, detector=detector, face=3)
    load_still(crop, detector=FixedFaces((0, 0, 10, 10)))
    assert capsys.readouterr().err == ""


def test_the_face_that_was_asked_for_is_taken(tmp_path, capsys):
    pair = np.zeros((256, 512, 3), np.uint8)
    photo = data.astronaut()[:256, 96:352]
    pair[64:192, 64:192] = photo[::2, ::2]
    pair[:, 256:] = 255 - (255 - photo) // 2  # the larger one is also paler
    write_image(tmp_path / "pair.png", pair)
    largest, left = load_still(tmp_path / "pair.png"), load_still(tmp_path / "pair.png", face=1)
    assert largest.mean() > left.mean() + 30
    for wrong in (0, 3):
        with pytest.raises(TalkerError, match=f"there are 2 faces .* no face {wrong}"):
            load_still(tmp_path / "pair.png", face=wrong)


# ---- what cannot be used


def test_unusable_sound_is_said_before_anything_is_written(tmp_path, generator, crop):
    write_audio(tmp_path / "silent.wav", np.random.default_rng(0).normal(0, 1e-4, 9000), 16000)
    write_audio(tmp_path / "empty.wav", np.zeros(0), 16000)
    (tmp_path / "text.mp3").write_text("no sound in here")
    before = sorted(tmp_path.iterdir())
    for name, said in (
        ("silent.wav", "is silent"),
        ("empty.wav", "holds no sound"),
        ("text.mp3", "cannot be decoded"),
        ("crop.png", "has no audio"),
        ("gone.wav", "no file"),
    ):
        with pytest.raises(TalkerError, match=said) as caught:
            animate(crop, tmp_path / name, tmp_path / "a.mp4", generator=generator, aligned=True)
        assert name in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_numbers_are_said(tmp_path, generator, crop, bad):
    samples = np.full((1, 9000), 0.1, np.float32)
    samples[0, 4000] = bad
    with av.open(str(tmp_path / "bad.wav"), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples, format="flt", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
    with pytest.raises(TalkerError, match=r"bad\.wav has samples that are not numbers"):
        animate(crop, tmp_path / "bad.wav", tmp_path / "a.mp4", generator=generator, aligned=True)
    assert not (tmp_path / "a.mp4").exists()


def test_quiet_speech_is_not_silence(tmp_path, generator, crop):
    quiet = np.random.default_rng(0).normal(0, 10 ** (-60 / 20), 4000)
    write_audio(tmp_path / "quiet.wav", quiet, 16000)
    out = tmp_path / "a.mp4"
    assert animate(crop, tmp_path / "quiet.wav", out, generator=generator, aligned=True)


def test_bad_requests_are_said(tmp_path, generator, crop, sentence):
    for options, said in (
        ({"out": tmp_path / "a.avi"}, "should end in .mp4"),
        ({"scale": 0}, "scale of 0"),
        ({"variations": 0}, "0 variations"),
    ):
        arguments = {"out": tmp_path / "a.mp4", "generator": generator, **options}
        with pytest.raises(TalkerError, match=said):
            animate(crop, sentence, **arguments)
    animate(crop, sentence, tmp_path / "a.mp4", generator=generator, aligned=True)
    with pytest.raises(TalkerError, match=r"a\.mp4 is one of the inputs"):
        animate(crop, tmp_path / "a.mp4", tmp_path / "a.mp4", generator=generator, aligned=True)


def test_an_interrupted_run_leaves_nothing_behind(tmp_path, generator, crop, sentence, monkeypatch):
    def interrupted(*_):
        yield np.zeros((5, 128, 96, 3), np.uint8)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "generate", interrupted)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        animate(crop, sentence, tmp_path / "a.mp4", generator=generator, aligned=True)
    assert sorted(tmp_path.iterdir()) == before


def test_long_audio_shows_progress(tmp_path, generator, crop, sentence, capsys):
    write_audio(tmp_path / "long.wav", np.random.default_rng(0).normal(0, 0.1, 52000), 16000)
    options = {"generator": generator, "aligned": True, "scale": 1}
    animate(crop, tmp_path / "long.wav", tmp_path / "a.mp4", **options)
    assert "81/81" in capsys.readouterr().err
    animate(crop, tmp_path / "long.wav", tmp_path / "a.mp4", **options, progress=False)
    animate(crop, sentence, tmp_path / "a.mp4", **options)
    assert capsys.readouterr().err == ""
