"""The command line: options, exit statuses, and errors as one sentence on stderr."""

import dataclasses
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

from talker import __version__, cli
from talker.config import ModelConfig, preset
from talker.errors import TalkerError
from talker.media import write_audio, write_image
from talker.models.generator import Generator
from talker.video import read_video


@pytest.fixture
def files(tmp_path):
    """A folder with an aligned crop, a sentence and the weights of a tiny generator."""
    from talker.checkpoint import save_generator

    write_image(tmp_path / "crop.png", data.astronaut()[40:168, 180:276])
    write_audio(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.1, 8000), 16000)
    torch.manual_seed(0)
    config = ModelConfig(width=4, audio_width=4, identity_dim=16, content_dim=16)
    save_generator(tmp_path / "weights", Generator(config), {})
    return tmp_path


def record(monkeypatch, name: str, error: BaseException | None = None) -> list[dict]:
    """Put a function that keeps its arguments, or raises, in the place of a command."""
    calls = []

    def command(**options) -> None:
        calls.append(options)
        if error is not None:
            raise error

    original = cli.COMMANDS[name]
    command.__wrapped__ = original  # tyro reads the signature of the original
    monkeypatch.setitem(cli.COMMANDS, name, command)
    return calls


def test_animate_from_the_command_line(files, capsys):
    arguments = ["animate", "crop.png", "a.wav", "-o", "out.mp4", "--weights", "weights"]
    arguments = [str(files / a) if (files / a).exists() else a for a in arguments]
    arguments[4] = str(files / "out.mp4")
    assert cli.main([*arguments, "--aligned", "--scale", "1", "--seed", "2"]) == 0
    assert read_video(files / "out.mp4")[0].shape == (13, 128, 96, 3)
    assert capsys.readouterr().out == f"{files / 'out.mp4'}\n"
    assert cli.main([*arguments, "--aligned", "--variations", "2"]) == 0
    assert (files / "out-1.mp4").is_file() and (files / "out-2.mp4").is_file()


def test_bad_input_is_one_sentence_and_exit_status_2(files, capsys):
    arguments = ["animate", str(files / "gone.png"), str(files / "a.wav")]
    options = ["-o", str(files / "out.mp4"), "--weights", str(files / "weights")]
    assert cli.main([*arguments, *options]) == 2
    said = capsys.readouterr().err
    assert said.startswith("talker: there is no image ") and said.count("\n") == 1


def test_a_git_lfs_pointer_instead_of_weights_is_named(files, capsys):
    (weights,) = (files / "weights").glob("*.safetensors")
    weights.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    arguments = ["animate", str(files / "crop.png"), str(files / "a.wav"), "--aligned"]
    options = ["-o", str(files / "out.mp4"), "--weights", str(files / "weights")]
    assert cli.main([*arguments, *options]) == 2
    assert "LFS" in capsys.readouterr().err
    assert not (files / "out.mp4").exists()


@pytest.mark.parametrize(
    ("command", "module", "function", "line", "expected"),
    [
        (
            "render",
            "talker.corpora.rendered",
            "render_corpus",
            ["-o", "x", "--performers", "3", "--seed", "7", "--scheduler", "tcp://h:1"]
            + ["--splits", "validation", "test"],
            {"performers": 3, "clips": 12, "seed": 7, "workers": 0, "sentences": "grid"}
            | {"scheduler": "tcp://h:1", "splits": ("validation", "test")},
        ),
        (
            "bench",
            "talker.bench",
            "bench",
            ["store", "data/x", "-o", "x"],
            {"what": "store", "paths": [Path("data/x")]},
        ),
    ],
)
def test_commands_pass_their_options_on(monkeypatch, command, module, function, line, expected):
    calls = []
    stand_in = types.ModuleType(module)
    setattr(stand_in, function, lambda **options: calls.append(options))
    monkeypatch.setitem(sys.modules, module, stand_in)
    assert cli.main([command, *line]) == 0
    assert str(calls[0].pop("out")) == "x"
    assert str(calls[0].pop("corpus", "c")) == "c"
    assert calls[0] == expected


@pytest.fixture
def trained(monkeypatch) -> list[tuple]:
    """What `talker train` was called with."""
    calls = []
    stand_in = types.ModuleType("talker.train")
    stand_in.train = lambda *arguments: calls.append(arguments)
    monkeypatch.setitem(sys.modules, "talker.train", stand_in)
    return calls


def test_train_takes_any_setting_of_any_preset(trained):
    long = ["--train.warm-up", "8000", "--losses.l1", "300", "--model.width", "32"]
    short = ["--corpus", "c", "-o", "x", "--minutes", "2", "--precision", "bf16", "--no-resume"]
    assert cli.main(["train", *short, "--preset", "paper", *long]) == 0
    ((config, resume),) = trained
    paper = preset("paper")
    settings = dataclasses.replace(
        paper.train, corpus="c", out="x", minutes=2.0, precision="bf16", warm_up=8000
    )
    assert config == dataclasses.replace(
        paper,
        model=dataclasses.replace(paper.model, width=32),
        losses=dataclasses.replace(paper.losses, l1=300.0),
        train=settings,
    )
    assert resume is False


def test_train_without_options_is_the_laptop_preset(trained):
    assert cli.main(["train"]) == 0
    assert cli.main(["train", "--train.no-alter-voices", "--start", "w", "--seed", "3"]) == 0
    laptop = preset("laptop")
    changed = dataclasses.replace(laptop.train, alter_voices=False, start="w", seed=3)
    assert trained == [(laptop, True), (dataclasses.replace(laptop, train=changed), True)]


@pytest.mark.parametrize("line", [["--preset", "huge"], ["--preset"], ["--model.widht", "3"]])
def test_train_refuses_what_it_does_not_know(trained, line, capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", *line])
    assert line[-1] in capsys.readouterr().err and not trained


def test_impossible_settings_are_one_sentence(trained, capsys):
    assert cli.main(["train", "--model.height", "100"]) == 2
    assert "height and width must be multiples of 32" in capsys.readouterr().err


def test_every_setting_has_help(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    said = [line.strip("│ ") for line in capsys.readouterr().out.splitlines()]
    options = [number for number, line in enumerate(said) if line.startswith("--")]
    assert len(options) > 60
    silent = [said[n] for n in options if said[n + 1].startswith("(default")]
    assert silent == []


def test_prepare_looks_its_corpus_up_by_name(monkeypatch, capsys):
    calls = []

    def prepare(*arguments, **options):
        calls.append((*arguments, options))
        return {"clips": 3, "kept": {"all": 2}, "rejected": {"s1/a": "no face"}}

    for module, content in (
        ("talker.corpora.registry", {"CORPORA": {"grid": "the corpus"}}),
        ("talker.prepare", {"prepare": prepare}),
    ):
        stand_in = types.ModuleType(module)
        stand_in.__dict__.update(content)
        monkeypatch.setitem(sys.modules, module, stand_in)
    assert cli.main(["prepare", "grid", "in", "-o", "out", "--workers", "3"]) == 0
    assert calls == [
        ("the corpus", Path("in"), Path("out"), {"scheduler": None, "workers": 3}),
    ]
    assert capsys.readouterr().out.splitlines() == [
        "rejected s1/a: no face",
        "2 of 3 clips are in out; see report.json there.",
    ]
    assert cli.main(["prepare", "grit", "in", "-o", "out"]) == 2
    assert "there is no corpus 'grit': choose one of grid." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (TalkerError("The file is wrong."), 2, "talker: The file is wrong.\n"),
        (KeyboardInterrupt(), 130, "talker: interrupted.\n"),
        (
            ImportError("libGL.so.1: cannot open shared object file: No such file or directory"),
            2,
            "talker: the system library libGL.so.1 is missing: "
            "run `sudo apt-get install libgl1`.\n",
        ),
        (
            OSError("libfoo-2.so.3: cannot open shared object file: No such file or directory"),
            2,
            "talker: the system library libfoo-2.so.3 is missing: "
            "install the package that has it.\n",
        ),
    ],
)
def test_exit_statuses(monkeypatch, capsys, error, status, said):
    calls = record(monkeypatch, "demo", error)
    assert cli.main(["demo"]) == status
    assert len(calls) == 1
    assert capsys.readouterr().err == said


def test_other_errors_are_not_hidden(monkeypatch):
    record(monkeypatch, "demo", ImportError("No module named nothing"))
    with pytest.raises(ImportError, match="nothing"):
        cli.main(["demo"])


def test_version_and_help_of_the_module():
    run = subprocess.run(
        [sys.executable, "-m", "talker", "--version"], capture_output=True, text=True, check=True
    )
    assert run.stdout == f"talker {__version__}\n"
    command = [sys.executable, "-m", "talker", "animate"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 2 and "STILL" in run.stderr


def test_the_command_line_starts_quickly():
    """No command's libraries are imported before the command runs."""
    heavy = ("torch", "av", "cv2", "dlib", "numpy", "matplotlib")
    code = f"import sys, talker.cli; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
