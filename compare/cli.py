"""The command line: what may be typed. What is done then is in `compare.commands`.

That is imported when a command is called, so that `--help` does not wait for JAX. Exit codes: 0 the
two sides agree, 1 they disagree; the others are in `compare.exit_codes`.
"""

import os
from collections.abc import Callable
from functools import partial, reduce
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from compare.commands.options import (
    OVERWRITE,
    Name,
    OutFile,
    Slug,
    numbers,
    refuse_what_is_there,
    sizes,
)
from compare.wording import Disagreement
from handgrad.commands.options import (
    JSON,
    SETTINGS,
    Number,
    option,
    seed_option,
    version_option,
    whole,
)

#: Enough for any lesson; some minutes, and less than 100 MB for their order and losses.
MOST_EPOCHS = 1_000_000

#: What 53 bits can count, and no machine will.
MOST_CASES = 10**15

#: The number of errata; stated here so that `--help` need not load the catalogue.
ERRATA = 22

#: Default η by optimiser: found by trial, large enough to be quick on standardised data.
RATES = {"sgd": 0.1, "momentum": 0.02, "adam": 0.01}

#: How the program's own errors end.
ENDINGS = {Disagreement: ("disagree: {}.", 1)}

SEED = whole(0, 2**32 - 1)
MEASURE = Number("a number above 0, at most 10000", above=0, at_most=10_000)
FRACTION = Number("a number above 0, at most 0.5", above=0, at_most=0.5)
PLOT_FILE = OutFile(".svg", ".png", needs=("matplotlib", "plot"))
ACTIVATION = Name(table=lambda: import_module("manual.activations").ACTIVATIONS)
LOSS = Name(table=lambda: import_module("manual.losses").LOSSES)
OPTIMISER = Name(*RATES)
PARAMETER = Name("w1", "w2", "w3", "w4", "w5", "w6", "b1", "b2", "b3")

LOSS_PLOT = option("--plot", "plot_file", type=PLOT_FILE, help="Draw the loss curves to this file.")
DTYPE = option(
    "--dtype", type=Name("float32", "float64"), default="float64", help="Of all numbers."
)
PLANT = option(
    *("--plant", "plant"),
    type=Slug(),
    metavar="SLUG",
    help="Plant a mistake, one of those that `compare break` lists.",
)
learning_rate = partial(
    *(option, "--learning-rate"),
    type=Number("a finite number above 0", above=0),
    help="η, the step per unit of gradient.",
)
epochs = partial(
    *(option, "--epochs"),
    type=whole(0, MOST_EPOCHS),
    help="How often the training goes through its rows, in all.",
)
person = partial(
    *(option, "--person"),
    type=Name("alice", "bob", "charlie", "diana"),
    help="Whose loss the partial derivatives are of: one of the article's four people.",
)
init = partial(
    *(option, "--init"),
    type=Name("normal", "ones"),
    help="Parameters drawn from N(0, 1), or all weights 1 and biases 0.",
)
form = partial(
    *(option, "--sigmoid-derivative"),
    type=Name("stable", "article"),
    help="Of the article's network, σ' by hand as σ(z)σ(-z), which keeps its digits, or as "
    "f(1 - f).",
)


def _together(*options: Callable) -> Callable:
    """Combine several options into one decorator."""
    return lambda command: reduce(lambda made, one: one(made), reversed(options), command)


def _network(
    otherwise: str | None = None,
    more: str = "",
    output: str = "sigmoid, or identity for losses on logits",
    loss: str = "mse",
    **settings: Any,
) -> Callable:
    """The options of a network; those of its kind are None where not given.

    Args:
        otherwise, output, loss: the defaults of --network, --output and --loss, in words.
        more: what the help of --network has to say besides.
        **settings: of --network.

    """
    settings |= {"type": sizes, "metavar": "2-8-1", "otherwise": otherwise}
    about = f"Numbers of inputs, of the units of each hidden layer, and of outputs{more}."
    l2 = Number("a number from 0 to 1000", at_least=0, at_most=1000)
    return _together(
        option("--network", "sizes", help=about, **settings),
        option("--activation", type=ACTIVATION, help="Of hidden layers.", otherwise="sigmoid"),
        option("--output", type=ACTIVATION, help="Of the last layer.", otherwise=output),
        option("--loss", type=LOSS, help="Between outputs and targets.", otherwise=loss),
        option("--l2", type=l2, help="λ, the weight of Σ w².", otherwise="0"),
    )


def _columns(target: str, otherwise: str | None = None) -> Callable:
    """--target and --feature, which choose columns of a table."""
    about = {"metavar": "COLUMN", "help": "A column to predict from; repeatable."}
    return _together(
        option("--target", metavar="COLUMN", help=target, otherwise=otherwise),
        option("--feature", "features", multiple=True, otherwise="all others", **about),
    )


#: The options of the article's training: the fields of `compare.experiment.Settings`.
_training = _together(
    seed_option("the starting parameters", type=SEED, default=44),
    epochs(default=1000),
    learning_rate(default=0.1),
    init(default="normal"),
    form(default="stable"),
)


@click.group(context_settings=SETTINGS)
@version_option("compare")
def cli() -> None:
    """Backpropagation by hand (NumPy) held against autodiff (jax.grad under jit).

    Start with: python -m compare run
    """


@cli.command(short_help="Train the article's network by both, compared at every step.")
@person(default="alice")
@option("--weight", type=MEASURE, help="Of a person to predict as well, say of you.")
@option("--height", type=MEASURE, help="Of the same person.")
@option(
    "--units",
    type=Name("imperial", "metric"),
    help="Of both: lb and in, or kg and cm.",
    otherwise="imperial",
)
@_training
@option(
    "--every",
    type=whole(1, MOST_EPOCHS),
    help="Print the loss every so many epochs, say 10 as in the article.",
    otherwise="ten rows",
)
@LOSS_PLOT
@JSON
def run(**options: Any) -> int:
    """Train the article's network by hand and by autodiff, compared at every step.

    Shows the nine partial derivatives at the starting parameters, trains twice, judges every update
    from common parameters, and predicts Emily and Frank, and a person of --weight and --height,
    with a warning if the network extrapolates. Ends with 0 if the two sides agree within rounding,
    with 1 if they do not.
    """
    from compare.commands.run import run

    return run(**options)


@cli.command(short_help="Show one partial derivative: its factors, numbers and checks.")
@click.argument("parameter")
@person(otherwise="alice")
@option("--x", type=numbers, metavar="1,-2.5", help="Inputs of your own, such as 1,-2.5.")
@option("--y", type=numbers, metavar="1,-2.5", help="Targets of your own, one for each output.")
@_network("the article's 2-2-1", "; at most 200 parameters")
@init(otherwise="ones for the article's network without --seed, else normal")
@seed_option("parameters at random", type=SEED, otherwise="44")
@learning_rate(default=0.1)
@form(otherwise="stable")
@JSON
def explain(**options: Any) -> int:
    """Explain ∂L/∂PARAMETER: symbols, numbers in their places, result, and a check of each.

    PARAMETER is one of w1 to w6, b1 to b3; of another network w0[2,1] or b1[0], which may be
    written w0.2.1 and b1.0; or any other quantity of the pass, such as h1, ypred or L. Ends with 0
    if every number that is shown is right within rounding, by hand and by autodiff, else with 1.
    """
    from compare.commands.explain import explain

    return explain(**options)


@cli.command(short_help="List the article's slips, or show one by a run.")
@click.argument("number", required=False, type=whole(1, ERRATA))
@JSON
def errata(**options: Any) -> None:
    """List the article's slips, as printed and corrected, or show that of a NUMBER by a run.

    A run computes its numbers when it is asked for them, by the derivation by hand, by autodiff, or
    by both.
    """
    from compare.commands.errata import errata

    errata(**options)


@cli.command("break", short_help="Plant a mistake, and show which checks see it.")
@click.argument("slug", required=False, type=Slug())
@_training
def break_(slug: str | None, **training: Any) -> None:
    """Plant a mistake in the derivation by hand, and show what each check sees of it.

    SLUG names the mistake; without it, all of them are listed. The checks, from the weakest
    evidence to the best: the outcome of the training, its loss curve, every update judged from
    common parameters, the partial derivatives at the start beside autodiff's, and handgrad's
    judge. Ends with 0 whatever they see.
    """
    from compare.commands.break_ import list_mistakes, plant

    plant(slug, training) if slug else list_mistakes()


@cli.command(short_help="Compare both gradients at very many random cases.")
@option("--cases", type=whole(1, MOST_CASES), default="1e7", help="How many to draw.")
@option(
    *("--case", "number"),
    type=whole(0, MOST_CASES),
    help="Draw the one of this number alone, and look at it closely.",
)
@_network(default="2-2-1")
@option(
    "--examples",
    type=whole(1, 100),
    help="How many examples the loss is the mean of.",
    otherwise="1 for the article's network, else 2",
)
@DTYPE
@option(
    "--weights",
    metavar="uniform:SIZE|spread:LOW:HIGH",
    default="uniform:5",
    help="What weights and biases are drawn from.",
)
@option(
    "--inputs",
    metavar="uniform:SIZE|spread:LOW:HIGH",
    default="uniform:20",
    help="What inputs are drawn from; targets lie between 0 and 1.",
)
@seed_option("all cases", type=SEED, default=0)
@form("form", otherwise="stable")
@PLANT
@option(
    "--distributed",
    is_flag=True,
    help="Share the cases with the other processes of a cluster, which JAX finds: of Slurm, Open "
    "MPI or Kubernetes. The first one prints the report.",
)
@JSON
@click.pass_context
def sweep(
    context: click.Context, cases: int, number: int | None, distributed: bool, **options: Any
) -> int:
    """Draw weights, inputs and targets at random, and compare both gradients element by element.

    Case i depends on the seed and on i alone, on however many devices and in however many
    processes it is drawn. What two right gradients may differ by is derived at every case; where
    that does not explain it, handgrad's judge rules, and on the most suspicious cases anyway.
    Ctrl-C ends it with a report of what was covered. Ends with 0 if all agree, else with 1.

    With --case and the options of a sweep, handgrad's judge rules on the gradient by hand, or on
    the planted mistake, at that case; a trace has every link of the right derivation with three
    witnesses, in float64.
    """
    if number is None:
        # One device for each core, before JAX is imported: XLA runs blocks of this size on one
        # thread.
        known = hasattr(os, "sched_getaffinity")
        cores = len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1
        os.environ.setdefault("JAX_NUM_CPU_DEVICES", str(cores))
    else:
        for name in ("cases", "distributed"):
            if context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{name} beside --case; expected one of them.")
    from compare.commands.sweep import look_at, sweep

    return sweep(cases, distributed, **options) if number is None else look_at(number, **options)


@cli.command(short_help="Prove the gradient by hand right for all real numbers.")
@_network("2-2-1", "; few, such as 3-3-2 or 2-2-2-1")
@form(otherwise="stable")
@option(
    "--examples",
    type=Name("1", "2", "4"),  # powers of two, so that 1/n is exact
    help="How many examples the loss is the mean of.",
    otherwise="2 where the formulas stay small, else 1",
)
@PLANT
@JSON
def prove(examples: str | None, **options: Any) -> int:
    """Prove that every partial derivative by hand is that of the loss.

    The hand-written lines run on symbols, the loss is differentiated, and the difference must be
    identically 0, for all real weights, inputs and targets, in each case of signs. Ends with 0 if
    all is proved, else with 1: refuted at a rational point, or undecided.
    """
    from compare.commands.prove import prove

    return prove(examples=examples and int(examples), **options)


@cli.command(short_help="Train any network on real data, by hand, by autodiff, or both.")
@option(
    *("--data", "text"),
    metavar="TABLE",
    required=True,
    help="The data: article, davis, bdims, digits, iris, wine, breast-cancer, diabetes, or a CSV "
    "file.",
)
@_columns("The column to predict; needed for a CSV file.")
@_network(
    "one hidden layer of 8",
    output="sigmoid for mse and huber on classes, else identity",
    loss="mse for a number, bce for two classes and one output, else softmax-ce",
)
@option("--optimiser", type=OPTIMISER, default="adam", help="How a gradient becomes an update.")
@learning_rate(otherwise=", ".join(f"{rate:g} for {name}" for name, rate in RATES.items()))
@option(
    "--by",
    type=Name("hand", "autodiff", "both"),
    default="both",
    help="Who trains; both are compared at every update.",
)
@epochs(default=100)
@option("--batch", type=whole(1, 10**9), default=32, help="Rows an update.")
@seed_option("the split, the start, and the order of each epoch", type=SEED, default=0)
@option(
    *("--test", "fraction"),
    type=FRACTION,
    default=0.2,
    help="The share of rows that is held out.",
)
@DTYPE
@option("--out", type=OutFile(".npz"), help="Write the trained weights and biases to this file.")
@OVERWRITE
@LOSS_PLOT
@JSON
def train(out: Path | None, overwrite: bool, **options: Any) -> int:
    """Train a network of any shape, by hand, by autodiff, or by both in lockstep.

    The data are split, and standardised by what the training part shows. With --by both, every
    update is taken by both from common parameters and judged; exit code 1 says that they disagree.
    --out takes weights and biases, by hand if that side trained, as arrays w0, b0, w1, b1 and so
    on, which numpy.load reads; beside them are x_mean, x_sd, y_mean and y_sd, by which the data
    were standardised.
    """
    from compare.commands.train import train

    refuse_what_is_there(out, overwrite)
    options["learning_rate"] = options["learning_rate"] or RATES[options["optimiser"]]
    return train(out=out, **options)


@cli.command(short_help="Fit least squares: in closed form, and by descent by both.")
@click.argument("table", default="article")
@_columns("The column to predict.", "the last one of a CSV file")
@option("--steps", type=whole(1, 100_000), default=1000, help="Steps of gradient descent.")
@learning_rate(otherwise="0.1, or less if the table needs it")
@option("--plot", "plot_file", type=PLOT_FILE, help="Draw the residuals to this file.")
def regress(**options: Any) -> int:
    """Fit least squares to TABLE: in closed form, by descent by hand, and by descent by autodiff.

    TABLE is a CSV file with a header line, or a table that comes with the project: article (weight
    in lb by height in in, the default) or bdims (507 people: wgt in kg by hgt in cm and sex, which
    is 1 for men).
    """
    from compare.commands.regress import regress

    return regress(**options)


@cli.group(short_help="Draw the article's figures from real computation.")
def plot() -> None:
    """Draw one of the article's figures from real computation to FILE, SVG or PNG."""


def _figure(name: str, about: str, *options: Callable) -> None:
    """Add a figure: a function of `compare.commands.plot` draws it."""

    @plot.command(name, help=about, short_help=about)  # click would cut it off with "..."
    @click.argument("file", type=PLOT_FILE, metavar="FILE")
    @_together(*options)
    def draw(file: Path, **options: Any) -> None:
        from compare.commands.plot import FIGURES
        from compare.plots import save

        save(FIGURES[name](**options), file)
        click.echo(f"Drawn to {file}")


_figure("exam", "Draw the exam: step and sigmoid over mark - 50.")
_figure("sigmoid", "Draw the sigmoid, its derivative, and where it saturates.")
_figure(
    *("digits", "Draw how many digits of the sigmoid's slope are right, by hand and by autodiff.")
)
_figure("loss", "Draw the loss curves of both trainings.", _training)
_figure(
    *("surface", "Draw the loss over two parameters, with the path of the training."),
    option("--x", type=PARAMETER, default="w1", help="Along the x axis."),
    option("--y", type=PARAMETER, default="w5", help="Along the y axis."),
    _training,
)
_figure(
    *("residuals", "Draw a table's least-squares fit and its residuals."),
    option("--table", metavar="TABLE", default="article", help="A table as regress takes it."),
    _columns("The column to predict.", "the last one of a CSV file"),
)
