"""The playground as a part of a page: its elements, its styles and its script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convexp.pictures.palette import WIRINGS, Hue, hue
from convexp.reporting.playable import PlaygroundNetwork, script_json

if TYPE_CHECKING:
    from markupsafe import Markup

HERE = Path(__file__).parent
SCRIPTS = ("network", "images", "pen", "sweep", "paint", "windows", "card", "playground")
MAX_NAMED = 5  # networks that are left out for one reason
PROTOCOLS = {
    "circular": "What leaves the image comes in at the other side (circular), as in the runs.",
    "crop": "What leaves the image is lost, and black comes in. The runs moved a window over a larger image.",
    "zero_fill": "What leaves the image is lost, and black comes in (zero fill), as in the runs.",
}


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        markup: Its elements.
        css: Rules for the page's style sheet. They use the properties ``--paper``, ``--ink``, ``--muted``, ``--rule``,
            ``--wash``, ``--link`` and ``--warn`` of the page.
        script: To be run once, after the elements; it leaves no global name behind. Empty if there is nothing to run.
    """

    markup: "Markup"
    css: str
    script: str


def playground_html(networks: Sequence[PlaygroundNetwork], left_out: Mapping[str, Sequence[str]] | None = None) -> Section:
    """Return a playground for any page.

    Args:
        networks: The networks, which see the same images (``PlaygroundNetwork.sees``). What they hold is not trusted.
        left_out: Labels of networks that are not there, by reason.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    markup = environment.get_template("playground.html.j2").render(
        networks=networks,
        left_out={reason: _named(labels) for reason, labels in (left_out or {}).items()},
        protocol_words=PROTOCOLS.get(networks[0].protocol, PROTOCOLS["zero_fill"]) if networks else "",
        data=Markup(_data(networks)) if networks else "",
    )
    css = _hues(networks) + (HERE / "playground.css").read_text(encoding="utf-8")
    return Section(Markup(markup), css, _script() if networks else "")


def _data(networks: Sequence[PlaygroundNetwork]) -> str:
    """What the script reads, as JSON in which no character can end its element."""
    entries = [{"index": index, **network.own()} for index, network in enumerate(networks)]
    return script_json(networks[0].common() | {"networks": entries})


def _named(labels: Sequence[str]) -> str:
    """A few of the labels, and how many more there are."""
    more = f" and {len(labels) - MAX_NAMED:,} more" if len(labels) > MAX_NAMED else ""
    return ", ".join(labels[:MAX_NAMED]) + more


def _hues(networks: Sequence[PlaygroundNetwork]) -> str:
    """The colour of each network, for light and for dark pages."""
    others = list(dict.fromkeys(network.wiring for network in networks if network.wiring not in WIRINGS))
    hues = [hue(n.wiring, others.index(n.wiring) if n.wiring in others else 0) for n in networks]
    return f"{_rule(hues, 'light')}\n@media (prefers-color-scheme: dark) {{ {_rule(hues, 'dark')} }}\n"


def _rule(hues: Sequence[Hue], scheme: str) -> str:
    return f".playground {{ {' '.join(f'--hue{i}: {getattr(h, scheme)};' for i, h in enumerate(hues))} }}"


def _script() -> str:
    parts = "\n".join((HERE / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    return f"(() => {{\n{parts}\n}})();\n"
