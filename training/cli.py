"""`latentlab-train`: train a family on data, list what there is, evaluate a checkpoint.

`--help` and `list` import no torch. Exit status: 0 done, 1 failure, 2 wrong usage or bad input, 130 interrupted.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from latentlab.core.errors import (
    BadInput,
    Failure,
    Interrupted,
    LatentlabError,
    OptionError,
    did_you_mean,
    in_plain_words,
)
from latentlab.core.registry import FAMILIES
from training.commanding import Asked, as_toml, effective, reasons, resolved
from training.config import TrainingConfig
from training.data_note import DataAsked
from training.flags import CONFIGURATION, FamilyCommand, flag, parameters, values_of
from training.holding import check_free
from training.launching import is_first
from training.options import OPTIONS

PROGRAM = "latentlab-train"
DEBUG = "LATENTLAB_DEBUG"
TRAINABLE = {key: entry for key, entry in FAMILIES.items() if key in OPTIONS}


class Commands(TyperGroup):
    """A family is a command; an unknown word is answered with the nearest known one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise OptionError(f"There is no family or command '{args[0]}'.{did_you_mean(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=Commands,
    name=PROGRAM,
    help="Train a model whose latent space latentlab can open. FAMILY is one of the commands below.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# What a form asks of data and architecture, in its order; the others are for the shell.
OF_DATA = ("image_size", "latent_dim", "width", "crop", "limit", "root", "thumbnails", "mapped")
DATA = "A name (see `list`), a folder of pictures, or an .npz file."


def train_family(
    ctx: typer.Context,
    data: Annotated[str | None, typer.Option(help=DATA, show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder.", show_default=False)] = None,
    recipe: Annotated[str | None, typer.Option(help="Begin with a named recipe (see `list`).")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file of options; flags win over it.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    image_size: Annotated[int | None, typer.Option(help="Side in pixels; the data's own, folders 64.")] = None,
    crop: Annotated[str | None, typer.Option(help="centre, none or x,y,width,height; before resizing.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many pictures.")] = None,
    latent_dim: Annotated[int | None, typer.Option(help="Numbers in a latent.")] = None,
    width: Annotated[
        int | None, typer.Option(help="Channels of the finest feature map; coarser ones have more.")
    ] = None,
    root: Annotated[Path | None, typer.Option(help="Where downloaded data lies.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch the data when it is not in --root.")] = False,
    thumbnails: Annotated[
        bool | None, typer.Option(help="Keep thumbnails of the data in the checkpoint, not of reconstructions.")
    ] = None,
    mapped: Annotated[
        bool | None,
        typer.Option(help="Keep the pictures in a mapped file, not in memory; by itself where memory is too small."),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any other option: architecture.residual=1; may be repeated."),
    ] = None,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print the whole configuration as TOML and train nothing.")
    ] = False,
    progress: Annotated[
        str, typer.Option(help="bar, json (one object a line on stdout, for other programs) or none.")
    ] = "bar",
    **given: Any,
) -> None:
    """Train a model; the run's folder then holds checkpoint.safetensors, metrics.jsonl and samples/.

    Where no default is said, it depends on the data and the recipe: --print-config shows what would be taken.
    """
    family = str(ctx.info_name)
    asked = Asked(
        family=family,
        of_data=DataAsked(
            data=data,
            image_size=image_size,
            crop=crop,
            limit=limit,
            root=root,
            thumbnails=thumbnails,
            mapped=mapped,
        ),
        out=out,
        recipe=recipe,
        resume=resume,
        download=download,
        settings=values_of(TrainingConfig, given),
        architecture={name: n for name, n in (("latent_dim", latent_dim), ("width", width)) if n is not None},
        objective=values_of(OPTIONS[family], given),
        options=tuple(options or ()),
    )
    if config is not None:
        asked = asked.over(config)
    if print_config:
        config_asked, note = effective(asked)
        typer.echo(as_toml(config_asked, note, reasons(asked, config_asked, note)), nl=False)
        return
    if asked.out is not None and is_first(os.environ):
        check_free(asked.out)  # first of all: what else is wrong with a folder in use does not matter
    order = resolved(asked)
    from training.watching import train_and_show

    train_and_show(order, progress)


def family_command(family: str) -> Callable[..., None]:
    """`train_family` with a flag for every option of the configuration and of the family's objective."""

    @functools.wraps(train_family)
    def command(*arguments: Any, **given: Any) -> None:
        train_family(*arguments, **given)

    written = inspect.signature(train_family, eval_str=True)
    objective = parameters(OPTIONS[family], tuple(OPTIONS[family].model_fields), show_default=True)
    configuration = parameters(TrainingConfig, CONFIGURATION, show_default=False)
    every = [p for p in written.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    every += [*objective, *configuration]
    command.__signature__ = written.replace(parameters=every)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in every}
    return command


for _key, _entry in TRAINABLE.items():
    _help = f"{_entry.title}. {train_family.__doc__}"
    _example = f"\b\nExample:\n  {PROGRAM} {_key} --data FOLDER --out runs/mine --epochs 40"
    app.command(_key, cls=FamilyCommand, help=_help, epilog=_example)(family_command(_key))


@app.command("list")
def list_known(
    family: Annotated[str | None, typer.Argument(help="Of this family every option with its default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it as JSON, for other programs.")] = False,
) -> None:
    """What can be trained, on what, and how.

    Families, data sets and recipes; or every option of one family.
    """
    from training.data import SOURCES
    from training.listing import known
    from training.recipes import RECIPES

    if as_json:
        written = inspect.signature(train_family, eval_str=True).parameters
        typer.echo(json.dumps(known(TRAINABLE, [written[name] for name in OF_DATA])))
        return
    if family is not None:
        if family not in TRAINABLE:
            raise OptionError(f"There is no family '{family}'.{did_you_mean(family, TRAINABLE)}")
        typer.echo(f"{TRAINABLE[family].title}: options of the objective")
        for parameter in parameters(OPTIONS[family], tuple(OPTIONS[family].model_fields), show_default=True):
            typer.echo(f"  {flag(parameter.name):32}{parameter.default.help}")
        typer.echo("Options of the training")
        for parameter in parameters(TrainingConfig, CONFIGURATION, show_default=False):
            typer.echo(f"  {flag(parameter.name):32}{parameter.default.help}")
        return
    recipes = {name: f"{make().family}; {str(make.__doc__).splitlines()[0]}" for name, make in RECIPES.items()}
    options = {key: " ".join(flag(name) for name in OPTIONS[key].model_fields) for key in TRAINABLE}
    for title, entries in (
        ("Families", {key: entry.title for key, entry in TRAINABLE.items()}),
        ("Options of each (`latentlab-train list FAMILY` explains them)", options),
        ("Data sets", {key: entry.title for key, entry in SOURCES.items()}),
        ("Recipes", recipes),
    ):
        typer.echo(title)
        for key, text in entries.items():
            typer.echo(f"  {key:16}{text}")


@app.command("evaluate")
def evaluate_checkpoint(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint, or the folder of a run.")],
    data: Annotated[str | None, typer.Option(help=f"{DATA} By default what it was trained on.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the figures go; evaluation.json beside it.")] = None,
    root: Annotated[Path | None, typer.Option(help="Where downloaded data lies.")] = None,
    crop: Annotated[str | None, typer.Option(help="As in training.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many pictures.")] = None,
    samples: Annotated[int, typer.Option(help="Draws from the prior that are judged.")] = 2000,
    importance_samples: Annotated[int, typer.Option(help="Draws per picture behind a likelihood.")] = 100,
    seed: Annotated[int, typer.Option(help="Of those draws.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Measure a checkpoint on held-out data.

    Prints the figures as JSON and saves them beside the checkpoint.
    """
    from training.evaluate import evaluate
    from training.watching import staged

    with staged() as report:
        figures, written = evaluate(
            checkpoint,
            data,
            out=out,
            root=root,
            crop=crop,
            limit=limit,
            samples=samples,
            importance_samples=importance_samples,
            seed=seed,
            device=device,
            report=report,
        )
    typer.echo(json.dumps(figures, indent=2))
    typer.echo(f"Saved in {written}", err=True)


@app.command("prepare")
def prepare_data(
    data: Annotated[str, typer.Option(help=DATA)],
    out: Annotated[Path, typer.Option(help="The .npz file to write.")],
    image_size: Annotated[int | None, typer.Option(help="Side in pixels; the data's own, folders 64.")] = None,
    crop: Annotated[str, typer.Option(help="centre, none or x,y,width,height; before resizing.")] = "centre",
    limit: Annotated[int | None, typer.Option(help="At most so many pictures.")] = None,
    seed: Annotated[int, typer.Option(help="Of generated data, and of which pictures the limit takes.")] = 0,
    root: Annotated[Path | None, typer.Option(help="Where downloaded data lies.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch the data when it is not in --root.")] = False,
) -> None:
    """Read a data set once into an .npz file.

    Cropped and resized, so that training need not wait. Pictures that memory has no room for are mapped from it, so
    that epochs run as fast as the disk and its cache are.
    """
    from training.data import load
    from training.data.archive import save
    from training.watching import staged, tell_skipped

    if out.exists():
        raise OptionError(f"{out} exists already; remove it or choose another name.")
    if not out.parent.is_dir():  # said before the pictures are read, which may take an hour
        raise OptionError(f"There is no folder {out.parent}; make it, or choose another --out.")
    with staged() as report:
        found = load(
            data,
            size=image_size,
            crop=crop,
            root=root,
            download=download,
            limit=limit,
            seed=seed,
            scratch=out.parent,
            report=report,
        )
    tell_skipped(found.skipped)
    save(out, found)
    many = "1 picture" if len(found) == 1 else f"{len(found):,} pictures"
    typer.echo(f"{many} of {found.height} x {found.width} x {found.channels} in {out}")


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status. Every failure is one line on stderr; LATENTLAB_DEBUG=1 shows where it came from."""
    try:
        command = typer.main.get_command(app)
        arguments = list(sys.argv[1:] if argv is None else argv) or ["--help"]
        status = command.main(arguments, prog_name=PROGRAM, standalone_mode=False)
        return status if isinstance(status, int) else 0
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        status, text = told(error)
        if not is_first(os.environ) and isinstance(error, (BadInput, Interrupted)):
            return 0 if isinstance(error, Interrupted) else status  # the first process says it
        print(f"{PROGRAM}: {text}", file=sys.stderr)  # noqa: T201
        return status
    except KeyboardInterrupt:
        print(f"{PROGRAM}: Interrupted.", file=sys.stderr)  # noqa: T201
        return 130


def told(error: Exception) -> tuple[int, str]:
    """(exit status, what is said) of whatever went wrong."""
    if isinstance(error, LatentlabError):
        return error.exit_status, str(error)
    if isinstance(error, typer.Abort):
        return 130, "Interrupted."
    if hasattr(error, "format_message"):  # of the command line's parser: wrong usage
        said = in_plain_words(error.format_message()).rstrip(".?")
        command = getattr(getattr(error, "ctx", None), "command_path", PROGRAM)
        return 2, f"{said}. See {command} --help."
    if isinstance(error, MemoryError) or "out of memory" in str(error) or "DefaultCPUAllocator" in str(error):
        return Failure.exit_status, "There is not enough memory. Use a smaller --batch-size, --image-size or --limit."
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return Failure.exit_status, f"{error.strerror or error}{where}."
    first = (str(error).strip().splitlines() or [""])[0]
    return Failure.exit_status, f"Unexpected {type(error).__name__}: {first} Set {DEBUG}=1 for where it came from."


if __name__ == "__main__":
    sys.exit(main())
