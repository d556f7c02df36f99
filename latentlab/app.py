"""The window's process: starts the engine first, then composes session, services and window, and runs the loop.

Nothing of Qt is imported before the engine's process has been started: torch's import and ours run side by side.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from latentlab.core.device_name import check_device_name
from latentlab.core.errors import CheckpointError, LatentlabError, OptionError
from latentlab.core.requests import Engine, Jobs, OpenModel
from latentlab.core.trainer import Trainer
from latentlab.display import check_display

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from latentlab.core.directions import DirectionSet
    from latentlab.core.latent_model import LatentModel
    from latentlab.ui.main_window import MainWindow
    from latentlab.ui.workspace import OpenedModel

READING = ("activation", "range", "latent", "picture", "noise")  # what can be said of a file that does not say it
TIMELINE = "LATENTLAB_TIMELINE"  # names a file for the moments of a start-up, for benchmarks/startup.py


def main(argv: Sequence[str] | None = None) -> int:
    """`latentlab [CHECKPOINT | RUN_FOLDER | SESSION] [--device NAME]`; the exit status, 2 for bad input."""
    try:
        chosen, more = _parser().parse_known_args(sys.argv[1:] if argv is None else argv)
    except argparse.ArgumentError as error:
        return _refused(OptionError(f"{error}. See: latentlab --help"))
    if more:
        option = more[0].startswith("-")
        what = f"There is no option '{more[0]}'" if option else f"The window opens one file; '{more[0]}' is a second"
        return _refused(OptionError(f"{what}. See: latentlab --help"))
    try:
        check_display()
        check_device_name(chosen.device or "auto")
    except LatentlabError as error:
        return _refused(error)
    from latentlab.engine.client import EngineClient
    from latentlab.engine.jobs import ProcessJobs

    engine = EngineClient()
    try:
        path, opened = _first_model(chosen.path)
    except LatentlabError as error:
        engine.close()
        return _refused(error)
    options = {name: value for name in READING if (value := getattr(chosen, name)) is not None}
    how = OpenModel("", device=chosen.device or "", trust=chosen.trust, options=options)
    return run_window(engine, ProcessJobs(), path, opened, how)


def explore_model(model: LatentModel) -> None:
    """The window on a model that lives in this process; returns when it is closed."""
    from latentlab.engine.in_process import InProcessEngine
    from latentlab.engine.in_process_jobs import InProcessJobs
    from latentlab.engine.jobs import ProcessJobs
    from latentlab.formats import open_checkpoint
    from latentlab.ui.workspace import OpenedModel

    opened = OpenedModel(model.info, model.encodings)
    engine, jobs = InProcessEngine(model, open_checkpoint), InProcessJobs(model, ProcessJobs())
    run_window(engine, jobs, None, opened, directions=model.directions)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="latentlab", description="See and steer what a latent space has learned.", exit_on_error=False
    )
    parser.add_argument("path", nargs="?", type=Path, help="a checkpoint, a run folder or a session")
    parser.add_argument("--device", help="auto, cpu, cuda or mps")
    parser.add_argument("--trust", action="store_true", help="open a format that can run code, from a trusted source")
    parser.add_argument("--activation", help="of a foreign file's last layer, where it does not say")
    parser.add_argument("--range", help="of a foreign file's pictures, where it does not say")
    parser.add_argument("--latent", help="64 or 4x16x16: the size of a latent that a file leaves open")
    parser.add_argument("--picture", help="which of a graph's outputs is the picture")
    parser.add_argument("--noise", help="of a StyleGAN: fixed or none")
    return parser


def _refused(error: LatentlabError) -> int:
    print(error, file=sys.stderr)  # noqa: T201 - the one line the command line owes
    return error.exit_status


def run_window(
    engine: Engine,
    jobs: Jobs,
    path: Path | None,
    opened: OpenedModel | None,
    how: OpenModel | None = None,
    directions: DirectionSet | None = None,
) -> int:
    """Shows the window on what is `opened` already, or else has the engine open `path`; until it is closed.

    `how`: the device for this run, and options for the first file.
    """
    from PySide6.QtCore import QTimer

    from latentlab.ui.collecting import Collecting
    from latentlab.ui.reporting import Reporting, quitting_on_signals
    from latentlab.ui.timeline import Timeline

    application = _application()
    window = compose(application, engine, jobs)
    window.opening.how = how or OpenModel("")
    reporting = Reporting(window.workspace.notices, window)
    reporting.install()
    collecting = Collecting(window)
    collecting.start()
    timeline = Timeline(os.environ.get(TIMELINE, ""), window)

    def shown() -> None:
        if not window.isVisible():
            window.docks.make_first()
            window.docks.focus_first()
            window.show()
            timeline.mark("window shown")

    def refused(_path: str, message: str) -> None:
        """The file named on the command line: a window on nothing would help nobody."""
        if path is not None and not window.opening.answered:
            application.exit(_refused(CheckpointError(message)))

    window.opening.shown.connect(shown)
    window.opening.refused.connect(refused)

    def ended() -> None:
        application.exit(0)

    def interrupted() -> None:
        window.close()
        ended()

    # Not left to Qt, whose loop ends with the last window of all: another one may be open, or be made at that moment.
    # Nor to both: a quit that Qt had posted too would end the next loop, of a notebook, before it began.
    by_qt = application.quitOnLastWindowClosed()
    application.setQuitOnLastWindowClosed(False)
    window.closing.connect(ended)
    try:
        with quitting_on_signals(interrupted):
            if opened is not None:
                window.docks.make_first()
                timeline.watch(window.docks.panels)
                window.opening.begin(opened, directions)
            elif path is not None:  # within the loop, which a refusal ends
                QTimer.singleShot(0, window, lambda: window.commands.open_path(path))
            window.autosaving.begin()
            return application.exec()
    finally:
        window.closing.disconnect(ended)
        reporting.remove()
        close(window)
        collecting.stop()
        application.setQuitOnLastWindowClosed(by_qt)


def compose(application: QApplication, engine: Engine, jobs: Jobs, trainer: Trainer | None = None) -> MainWindow:
    """Session, services and window, hidden, around an engine that has been started; `trainer`: ours unless given."""
    from latentlab.core.session import Session
    from latentlab.core.settings import Settings
    from latentlab.core.spaces import FloatArray
    from latentlab.core.state import State
    from latentlab.engine.trainer import ProcessTrainer
    from latentlab.ui import theme
    from latentlab.ui.decoding import Decoding
    from latentlab.ui.main_window import MainWindow
    from latentlab.ui.notices import Notices
    from latentlab.ui.projecting import Projecting
    from latentlab.ui.running import Running
    from latentlab.ui.training.training import Training
    from latentlab.ui.workspace import NOTHING_OPEN, Workspace

    settings = Settings.load()
    theme.apply(application, theme.chosen(settings.theme))
    nothing: FloatArray = NOTHING_OPEN.spaces[0].centre
    running = Running(jobs)
    session = Session(State(origin=nothing, base=nothing))
    workspace = Workspace(
        session=session,
        decoding=Decoding(engine),
        projecting=Projecting(running, in_hand=lambda: bool(session.open_gesture)),
        running=running,
        notices=Notices(),
        settings=settings,
        training=Training(trainer or ProcessTrainer()),
    )
    return MainWindow(workspace)


def close(window: MainWindow) -> None:
    """Ends what runs, within 3 s: jobs first, they may still talk; the engine last."""
    workspace = window.workspace
    window.close()
    workspace.running.cancel_all()  # so that jobs end while the rest is waited for
    window.autosaving.close()
    window.opening.join()
    if workspace.training is not None:
        workspace.training.close()
    workspace.running.close()
    workspace.projecting.close()
    workspace.decoding.close()
    window.deleteLater()


def _application() -> QApplication:
    from PySide6.QtWidgets import QApplication

    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    application = QApplication(["latentlab"])
    application.setApplicationName("latentlab")
    application.setApplicationDisplayName("latentlab")
    application.setDesktopFileName("latentlab")
    return application


def _first_model(named: Path | None) -> tuple[Path | None, OpenedModel | None]:
    """What to open, and what can be shown of it before the engine has started. Raises BadInput."""
    from latentlab.core.bundled import bundled_models, bundled_named
    from latentlab.core.project_file import ENDING, load
    from latentlab.ui.opening import read_natively, resolved

    if named is not None:
        path = resolved(bundled_named(named))
        if path.suffix == ENDING:
            load(path)
            return path, None
        return path, read_natively(path)
    for path in bundled_models():
        return path, read_natively(path)
    raise CheckpointError("No bundled model was found and none was named; name a checkpoint: latentlab FILE.")


if __name__ == "__main__":
    sys.exit(main())
