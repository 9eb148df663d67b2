"""The answer of a report in one sentence, from its means, its comparisons and what was measured."""

from convexp.reporting.answer.sentence import answer

__all__ = ["answer"]
