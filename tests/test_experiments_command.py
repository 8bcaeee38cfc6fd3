"""`talker experiments`: the list, what is passed on, and refusals in one sentence."""

import importlib
import inspect
import subprocess
import sys
import types
from pathlib import Path

import pytest

from talker import cli
from talker.experiments.registry import EXPERIMENTS, Experiment


@pytest.fixture
def trial(monkeypatch, tmp_path):
    """An experiment named "trial" with an option, in an empty working folder: its calls."""
    calls = []

    def run(corpus, runs, out, seeds=(0,)):
        calls.append((corpus, runs, out, seeds))

    module = types.ModuleType("talker.experiments.trial")
    module.run = run
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(EXPERIMENTS, "trial", Experiment("Table 0", module.__name__))
    monkeypatch.chdir(tmp_path)
    return calls


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_where_the_list_says(name):
    experiment = EXPERIMENTS[name]
    assert experiment.remakes
    run = importlib.import_module(experiment.module).run
    first, second, third, *options = inspect.signature(run).parameters.values()
    assert (first.name, second.name, third.name) == ("corpus", "runs", "out")
    assert all(option.default is not option.empty for option in options)


def test_the_list_names_them_all(capsys):
    assert cli.main(["experiments", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(EXPERIMENTS)
    assert "Table 5" in lines[list(EXPERIMENTS).index("ablation")]


def test_options_are_passed_on(trial, capsys):
    line = ["--corpus", "c", "--runs", "r", "-o", "o.json", "--seeds", "3", "4"]
    assert cli.main(["experiments", "run", "trial", *line]) == 0
    assert trial == [(Path("c"), Path("r"), Path("o.json"), (3, 4))]
    assert capsys.readouterr().out == "o.json\n"


def test_results_go_where_the_book_looks_for_them(trial, tmp_path):
    assert cli.main(["experiments", "run", "trial"]) == 0
    (tmp_path / "figures/results").mkdir(parents=True)
    assert cli.main(["experiments", "run", "trial"]) == 0
    shared = (Path("data/rendered"), Path("runs/trial"))
    assert trial == [
        (*shared, Path("trial.json"), (0,)),
        (*shared, Path("figures/results/trial.json"), (0,)),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["trail"], "there is no experiment 'trail': choose from ablation, "),
        ([], "there is no experiment '': choose from ablation, "),
        (["talking", "--seeds", "1"], "the experiment talking has no use for --seeds: leave it"),
        (["ablation", "--corpus", "nowhere"], "nowhere holds no corpus: "),
        (["ablation", "--seeds", "0", "-1"], "a seed of -1 makes no sense"),
    ],
)
def test_refusals_are_one_sentence(trial, line, said, capsys):
    assert cli.main(["experiments", "run", *line]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"talker: {said}") and error.count("\n") == 1
    assert trial == []


def test_the_list_imports_no_experiment():
    code = "import sys; from talker import cli; cli.main(['experiments', 'list']); "
    code += "print([m for m in ('torch', 'numpy', 'talker.train') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"
