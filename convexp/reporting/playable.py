"""A trained network that a page embeds, read from its run folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convexp.records.playground import FILE, read_playground
from convexp.records.playground_format import LeftOut, Playground
from convexp.records.record import RunRecord


class NotPlayableError(Exception):
    """A run has no network for a page. The message is the reason, without a full stop."""


@dataclass(frozen=True)
class PlaygroundNetwork:
    """A trained network that a page embeds.

    Attributes:
        label: What the network is called on the page.
        note: A few words about it.
        wiring: Name of its wiring, which gives its colour.
        protocol: How images are shifted.
        content: Its weights, classes and images.
        data: What tells its data from other data.
        shown: Whether it is on the page when that opens; others can be chosen there.
    """

    label: str
    note: str
    wiring: str
    protocol: str
    content: Playground
    data: str | None = None
    shown: bool = True

    @property
    def sees(self) -> tuple[Any, ...]:
        """What networks that answer to the same image have in common: its size, the classes, the shifts and the data."""
        size, content = self.content.input, self.content
        return size.channels, size.height, size.width, content.content, tuple(content.classes), self.protocol, self.data

    def common(self) -> dict[str, Any]:
        """What a page holds once, from the first of its networks."""
        spec = self.content.spec()
        return {key: spec[key] for key in ("input", "classes", "content", "images")} | {"protocol": self.protocol}

    def own(self) -> dict[str, Any]:
        """What a page holds for each network."""
        spec = {key: value for key, value in self.content.spec().items() if key != "images"}
        return {"label": self.label, "note": self.note, "shown": self.shown, "spec": spec}


def script_json(value: Any) -> str:
    """Return JSON, in ASCII, in which no character can end the element of a page that holds it."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def read_network(run: RunRecord, folder: Path, label: str, wiring: str) -> PlaygroundNetwork:
    """Read the network of a finished run. What it holds is not trusted.

    Args:
        run: The record of the run.
        folder: Its folder.
        label: What the network is to be called.
        wiring: Name of its wiring.

    Raises:
        NotPlayableError: If there is none, or the file is damaged.
    """
    if not (folder / FILE).exists():
        raise NotPlayableError("made by an older convexp or with playground=false; convexp-eval run=DIR adds it")
    content = read_playground(folder)
    if isinstance(content, LeftOut):
        raise NotPlayableError(content.left_out.removeprefix("The network is left out: ").rstrip("."))
    return PlaygroundNetwork(
        label=label,
        note=_note(run),
        wiring=wiring,
        protocol=_protocol(run, content),
        content=content,
        data=run.data.checksum,
    )


def _note(run: RunRecord) -> str:
    parameters = f"{run.network.tested_parameters:,} parameters" if run.network else ""
    accuracy = f"test {100 * run.metrics['test/acc']:.1f} %" if "test/acc" in run.metrics else ""
    return " · ".join(filter(None, (parameters, accuracy)))


def _protocol(run: RunRecord, content: Playground) -> str:
    """That of the shift map, which asks the same question, or else that of the data."""
    probe = run.probes.get("shift_map")
    return (probe and probe.protocol) or content.protocol
