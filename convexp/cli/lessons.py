"""The command ``convexp-lessons``: run the lessons, and make their page and their notebooks."""

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from convexp.cli.arguments import argument_parser
from convexp.config.folders import make_writable_folder
from convexp.config.user_paths import parse_path
from convexp.errors import ConfigError, ConvexpError
from convexp.teaching.catalogue import Lesson, all_lessons, choose, lessons_folder
from convexp.teaching.run_argument import PREFIX, checked_run
from convexp.terminal import console
from convexp.terminal.streams import lenient_output

PROGRAM = "convexp-lessons"
OUTPUT = "outputs/lessons"
NEEDED = {  # package: module
    "jupytext": "jupytext",
    "nbclient": "nbclient",
    "nbformat": "nbformat",
    "ipykernel": "ipykernel",
    "markdown-it-py": "markdown_it",
    "mdit-py-plugins": "mdit_py_plugins",
    "latex2mathml": "latex2mathml",
    "pygments": "pygments",
}
WIDEST = 30  # characters of the names in the list
DESCRIPTION = """\
Run the lessons, which lead from the dense layer to the convolution, and make one page of them, with pictures, for any browser,
without a network. Each lesson is a short script that computes, draws and asserts what it says; it runs as a notebook in a
process of its own, several side by side. The page keeps lessons of earlier calls that have not changed since.

lessons:
"""
EPILOG = """\
files written into outputs/lessons, or into --output FOLDER:
  index.html         the page
  notebooks/         each lesson as a Jupyter notebook; one that you have edited is renamed to NAME.edited.ipynb first

exit codes: 0, every assertion held; 1, a lesson failed; 2, an argument is wrong.

examples:
  convexp-lessons                                        all lessons
  convexp-lessons convolution 7                          two of them, by name or number
  convexp-lessons looking_into_a_network run=outputs/runs/NAME   with the network of a run of your own
  convexp-lessons --notebooks --output classroom         notebooks without outputs; nothing is run
  python scripts/lessons/03_convolution.py               a lesson as a plain script, in a checkout
"""


@lenient_output()
def main() -> None:
    """Run the lessons that are named, write the page and the notebooks, and say which lessons failed."""
    lessons = all_lessons(lessons_folder())
    given = _parser(lessons).parse_intermixed_args()
    try:
        names, run = _split(given.given)
        chosen = choose(lessons, names)
        _check(chosen, names, run, given.notebooks, given.jobs)
        failed = make(lessons, chosen, given.output, checked_run(run) if run is not None else None, given.jobs, given.notebooks)
    except ConvexpError as error:
        console.print_error(PROGRAM, str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(1 if failed else 0)


def make(
    lessons: Sequence[Lesson], chosen: Sequence[Lesson], output: str, run: Path | None, jobs: int | None, only_notebooks: bool
) -> bool:
    """Run the chosen lessons and write the page and the notebooks, and print what was written.

    Args:
        lessons: All lessons.
        chosen: Those to be run.
        output: Folder that is written into, as it was typed.
        run: The run that a lesson may look into.
        jobs: How many lessons run side by side; None for one on each core.
        only_notebooks: Whether to run nothing.

    Returns:
        Whether a lesson failed.

    Raises:
        ConfigError: If the folder cannot be written to.
    """
    from joblib import cpu_count

    from convexp.teaching.building import build, build_notebooks
    from convexp.terminal.words import plural

    folder = parse_path("--output", output)
    make_writable_folder(f"--output {output}", folder)
    jobs = min(jobs or cpu_count(), len(chosen))
    threads = max(1, cpu_count() // jobs)
    built = build_notebooks(chosen, folder) if only_notebooks else build(lessons, chosen, folder, run, jobs, threads)
    for file in built.kept:
        console.out.print(f"kept: {console.display_path(file)}, which had been edited", markup=False)
    failures = [each.failure for each in built.executed if each.failure]
    for failure in failures:
        console.print_error(PROGRAM, str(failure))
    page = f"{console.display_path(built.page)}, " if built.page else ""
    console.out.print(
        f"written: {page}{plural(len(chosen), 'notebook')} in {console.display_path(built.notebooks)}", markup=False
    )
    return bool(failures)


def _parser(lessons: Sequence[Lesson]) -> argparse.ArgumentParser:
    titles = "\n".join(f"  {lesson.number:>2}  {lesson.slug:<{WIDEST}}  {lesson.title}" for lesson in lessons)
    parser = argument_parser(PROGRAM, DESCRIPTION + titles, EPILOG)
    parser.usage = f"{PROGRAM} [LESSON ...] [run=DIR] [--notebooks] [--output FOLDER] [--jobs N]"
    parser.add_argument(
        "given",
        metavar="LESSON",
        nargs="*",
        help="name or number of a lesson (default: all of them); run=DIR is the run that looking_into_a_network uses",
    )
    parser.add_argument("--notebooks", action="store_true", help="run nothing: write the notebooks without outputs")
    parser.add_argument("--output", metavar="FOLDER", default=OUTPUT, help=f"where it is written (default: {OUTPUT})")
    parser.add_argument("--jobs", metavar="N", type=int, help="lessons that run side by side (default: one on each core)")
    return parser


def _split(given: Sequence[str]) -> tuple[list[str], str | None]:
    """The names of lessons, and what was typed after ``run=``.

    Raises:
        ConfigError: If there is another setting, or ``run=`` twice.
    """
    settings = [word for word in given if "=" in word]
    for word in settings:
        if not word.startswith(PREFIX):
            raise ConfigError(f"{word}: there is no such setting; the only one is run=DIR, the folder of a run")
    if len(settings) > 1:
        raise ConfigError(f"{' '.join(settings)}: should be given once")
    return [word for word in given if "=" not in word], settings[0].removeprefix(PREFIX) if settings else None


def _check(chosen: Sequence[Lesson], names: Sequence[str], run: str | None, only_notebooks: bool, jobs: int | None) -> None:
    """Check what can be checked before anything is imported.

    Raises:
        ConfigError: If an option is wrong, ``run=`` makes no difference, or something is not installed.
    """
    if jobs is not None and jobs < 1:
        raise ConfigError(f"--jobs {jobs}: should be 1 or more")
    if run is not None and only_notebooks:
        raise ConfigError(f"run={run}: makes no difference to --notebooks, which runs nothing; leave one of them out")
    if run is not None and not any(lesson.looks_into_a_run() for lesson in chosen):
        raise ConfigError(f"run={run}: makes no difference, as no lesson of {', '.join(names) or 'these'} looks into a run")
    if missing := [package for package, module in NEEDED.items() if find_spec(module) is None]:
        raise ConfigError(f"{', '.join(missing)}: not installed; pip install 'convexp[lessons]'")


if __name__ == "__main__":
    main()
