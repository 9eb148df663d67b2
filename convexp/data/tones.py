"""Tones: which motif sounds somewhere in a noisy signal? Every motif has the same notes, each in an order of its own."""

import math
from itertools import permutations
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from convexp.data.source import Source
from convexp.data.synthetic import CHUNK, check_integers, check_memory, draw_in_chunks, source_error

GREY, LOUDNESS = 128, 64  # grey level of silence, and amplitude of a note in the middle of its length
SHORTEST_PERIOD = 2.0  # in samples: a shorter one would sound like a longer one
MOST_NOTES = 5
Place = Literal["random", "centre"]


def motifs(periods: list[float], note: int) -> Tensor:
    """Return all motifs, ``(K, len(periods) * note)`` float64 with values from -1 to 1, one for each order of the notes.

    A note is a sine wave that swells and fades: ``sin(2 pi t / period) sin(pi (t + 1/2) / note)^2`` for t = 0 ... note - 1.

    Args:
        periods: Period of each note, in samples.
        note: Length of each note, in samples.
    """
    t = torch.arange(note, dtype=torch.float64)
    swell = (math.pi * (t + 0.5) / note).sin() ** 2
    notes = [(2 * math.pi * t / period).sin() * swell for period in periods]
    return torch.stack([torch.cat(order) for order in permutations(notes)])


def motif_names(periods: list[float]) -> tuple[str, ...]:
    """Return the name of each motif, the periods of its notes as they follow each other, such as ``16-8-4``."""
    return tuple("-".join(f"{period:g}" for period in order) for order in permutations(periods))


def tones(
    shape: list[int], train: int, test: int, periods: list[float], note: int, place: Place, noise: float, seed: int
) -> Source:
    """Draw signals for training and for testing. The settings are those of ``tones_signals``; the classes are the motifs.

    The source knows where the motif lies in each signal.
    """
    signals, labels, at = tones_signals("train", train, shape, periods, note, place, noise, seed)
    test_signals, test_labels, test_at = tones_signals("test", test, shape, periods, note, place, noise, seed)
    boxes, test_boxes = (torch.stack((first, first + len(periods) * note), 1) for first in (at, test_at))  # (N, 2, 1)
    return Source(
        signals,
        labels,
        test_signals,
        test_labels,
        test_objects=test_boxes,
        train_objects=boxes,
        class_names=motif_names(periods),
    )


def tones_signals(
    part: str, n: int, shape: list[int], periods: list[float], note: int, place: Place, noise: float, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw signals in which one of ``motifs(periods, note)`` sounds in Gaussian noise, around grey level 128.

    As all motifs have the same notes, no single note tells them apart. A smaller ``n`` gives the beginning of a larger one.

    Args:
        part: ``train`` or ``test``. Each has its own draws.
        n: Number of signals.
        shape: Shape of a signal, [1, L].
        periods: Period of each note in samples, at least 2: there are ``len(periods)!`` motifs.
        note: Length of each note, in samples.
        place: ``random``, any place at which the motif lies within the signal, or ``centre``, the middle.
        noise: Standard deviation of the noise in grey levels, before rounding and clipping to 0..255. Notes have an amplitude
            of 64 where they are loudest.
        seed: Seed of all draws.

    Returns:
        Signals, ``(n, 1, L)`` uint8; labels, ``(n,)`` int64; and the first sample of the motif, ``(n, 1)`` int64.

    Raises:
        ConfigError: If a setting is out of range, or the signals do not fit into memory.
    """
    _check({part: n, "note": note, "seed": seed}, shape, periods, place, noise)
    check_memory(n, shape, part)
    sounds = motifs(periods, note).float() * LOUDNESS
    room = shape[1] - sounds.shape[1]
    within = torch.arange(sounds.shape[1])

    def draw(drawn: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        label = torch.randint(len(sounds), (CHUNK,), generator=drawn)
        at = torch.randint(room + 1, (CHUNK, 1), generator=drawn)
        if place == "centre":
            at = torch.full_like(at, room // 2)
        signal = torch.randn(CHUNK, shape[1], generator=drawn) * noise + GREY
        signal.scatter_add_(1, at + within, sounds[label])
        return signal.round_().clamp_(0, 255).to(torch.uint8)[:, None], label, at

    signals, labels, at = draw_in_chunks(n, draw, "tones", seed, part)
    return signals, labels, at


def _check(integers: dict[str, Any], shape: list[int], periods: Any, place: str, noise: Any) -> None:
    check_integers(integers, seed=0)
    if len(shape) != 2 or shape[0] != 1:
        raise source_error("shape", shape, "should be one channel and one dimension, [1, L]")
    if not 2 <= len(periods) <= MOST_NOTES or len(set(periods)) < len(periods):
        raise source_error("periods", periods, f"should be 2 to {MOST_NOTES} notes of different periods")
    if not all(SHORTEST_PERIOD <= period < math.inf for period in periods):
        raise source_error("periods", periods, f"should be {SHORTEST_PERIOD:g} samples or more")
    if len(periods) * integers["note"] > shape[1]:
        longest = shape[1] // len(periods)
        raise source_error("note", integers["note"], f"should be at most {longest}, so that the motif fits into the signal")
    if place not in get_args(Place):
        raise source_error("place", place, "should be random or centre")
    if not (isinstance(noise, int | float) and 0 <= noise < math.inf):
        raise source_error("noise", noise, "should be a number of grey levels, 0 or more")
