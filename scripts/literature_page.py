"""Draws the table of docs/literature.md from the claims in conf/study/paper/ and the results in docs/literature/.

    python scripts/literature_page.py                                      draws the table
    python scripts/literature_page.py outputs/studies/paper_ott [DIR ...]  keeps the results of finished studies first

Of a study docs/literature/NAME.json keeps, for each finished run and each ensemble of them, the settings that vary, the seed,
the metrics that a claim is about, and its minutes. Results of the same study are replaced. A study of which anything but the
launcher was changed on the command line, or whose folder has runs of another command too, is refused.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import yaml

from convexp.config.command_line.parse import parse_command_line
from convexp.config.options import with_bases
from convexp.config.schema.claim import Claim
from convexp.config.sources import Source
from convexp.config.validated import validated
from convexp.errors import ConfigError, ConvexpError
from convexp.records.ensembles import read_ensembles
from convexp.records.plan import Plan
from convexp.reporting.claims import Result, StudyResults, claim_rows, results_of, results_of_ensembles
from convexp.reporting.render.markdown import escape
from convexp.reporting.report import Report, build_report
from convexp.studies.study import expand, read_study
from convexp.terminal.words import plural

ROOT = Path(__file__).parents[1]
PAGE, RESULTS, PAPERS = ROOT / "docs" / "literature.md", ROOT / "docs" / "literature", "study/paper"
BEGIN, END = "<!-- claims: python scripts/literature_page.py -->", "<!-- end of claims -->"
TITLES = ("paper", "claim", "published", "ours", "verdict", "command", "minutes of one core")
PACKAGES = ("convexp", "torch")
OF_THE_START = ("hydra.launcher", "hydra/launcher=", "outputs=", "reuse=", "on_failure=")  # they change no result


class Paper(msgspec.Struct, frozen=True):
    """A study of ``conf/study/paper/`` with what a paper claims.

    Attributes:
        option: Its name as an option, ``paper/ott``.
        study: The name of the study.
        claims: The claims.
    """

    option: str
    study: str
    claims: list[Claim]


def main(folders: Iterable[str]) -> None:
    """Keep the results of the folders and draw the page."""
    for folder in folders:
        keep(build_report(Path(folder)), RESULTS)
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), papers(), RESULTS), encoding="utf-8")


def papers(conf: Path = ROOT / "conf") -> list[Paper]:
    """The studies with claims, by year and name."""
    found = [paper(conf, file.stem) for file in (conf / PAPERS).glob("*.yaml")]
    return sorted((each for each in found if each.claims), key=lambda each: (each.claims[0].arxiv, each.option))


def paper(conf: Path, name: str) -> Paper:
    """A study, from its file and those that its defaults list names."""
    option = Path(PAPERS, name)
    files = [file for _, file in with_bases([Source("convexp", conf)], option)]
    sections: list[Any] = [yaml.safe_load(file.read_text(encoding="utf-8")).get("study") or {} for file in files]
    study = next(section["name"] for section in sections if "name" in section)
    # As with Hydra, a list takes the place of its base's.
    listed = next((section["claims"] for section in sections if "claims" in section), [])
    claims = [validated(Claim, claim, f"study.claims of {option}") for claim in listed]
    return Paper(f"paper/{name}", study, claims)


def keep(report: Report, folder: Path) -> Path:
    """Keep the results of a study in a small file.

    Raises:
        ConfigError: If no claim is about the study, it is not as its file has it, or some of its runs did not finish.
    """
    study = report.plan.name if report.plan else None
    about = next((each for each in papers() if each.study == study), None)
    if report.plan is None or about is None:
        raise ConfigError(f"{report.root}: no claim of conf/{PAPERS} is about this; name the folder of one of its studies")
    check_unchanged(report.root, report.plan, about.option)
    if report.unfinished:
        raise ConfigError(f"{report.root}: {plural(len(report.unfinished), 'run')} of {study} did not finish; start it again")
    runs = [run for group in report.groups for run in group.runs]
    metrics = {claim.metric for claim in about.claims}
    kept = StudyResults(
        study=str(study),
        versions={name: sorted({run.versions[name] for run in runs if name in run.versions}) for name in PACKAGES},
        commits=sorted({run.git.commit[:10] for run in runs if run.git.commit}),
        processors=sorted({run.hardware.cpu for run in runs if run.hardware and run.hardware.cpu}),
        runs=[
            *results_of(report.groups, metrics),
            *results_of_ensembles(read_ensembles(report.root), report.groups, metrics),
        ],
    )
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{study}.json"
    file.write_text(written(kept), encoding="utf-8")
    return file


def check_unchanged(folder: Path, plan: Plan, option: str) -> None:
    """Check that a plan is of the study as its file has it.

    Raises:
        ConfigError: If its command changes more than how the runs are started, or there are runs of another command.
    """
    words = [word for word in plan.command if word != "-m"]
    if changes := [word for word in words if word != f"study={option}" and not word.startswith(OF_THE_START)]:
        raise ConfigError(
            f"{folder}: was run with {' '.join(changes)}, which is not the study; start study={option} without it"
        )
    if f"study={option}" not in words:
        raise ConfigError(f"{folder}: was not run by study={option}")
    study = read_study(parse_command_line([f"study={option}"]).compose("train"))
    wanted = len(expand(study, []).points)
    if len(plan.runs) != wanted:
        raise ConfigError(f"{folder}: has {len(plan.runs)} runs, and study={option} {wanted}; start it in a folder of its own")


def written(results: StudyResults) -> str:
    """The results as JSON with a line for each run."""
    head = msgspec.to_builtins(results)
    runs = [msgspec.json.encode(run, order="deterministic").decode() for run in results.runs]
    lines = [f'"{name}": {msgspec.json.encode(value).decode()},' for name, value in head.items() if name != "runs"]
    return "\n".join(["{", *lines, '"runs": [', ",\n".join(runs), "]", "}", ""])


def read(study: str, folder: Path) -> list[Result]:
    """The runs of a study; none if no results are kept."""
    file = folder / f"{study}.json"
    return msgspec.json.decode(file.read_bytes(), type=StudyResults).runs if file.exists() else []


def page(before: str, studies: Iterable[Paper], folder: Path) -> str:
    """The page with its table in place of the one before."""
    head, _, rest = before.partition(BEGIN)
    return "\n".join([head + BEGIN, "", *table(studies, folder), "", END]) + rest.partition(END)[2]


def table(studies: Iterable[Paper], folder: Path) -> Iterable[str]:
    """Lines of the table: a row for each claim."""
    yield from (f"| {' | '.join(TITLES)} |", f"|{' --- |' * len(TITLES)}")
    for each in studies:
        runs = read(each.study, folder)
        cost = f"{sum(run.minutes for run in runs):.0f}" if runs else "—"
        for row in claim_rows(each.claims, runs):
            cells = [escape(cell).replace("\n", "<br>") for cell in row.cells]
            yield f"| {' | '.join([*cells, f'`convexp-train study={each.option}`', cost])} |"


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ConvexpError as error:
        sys.exit(str(error))
