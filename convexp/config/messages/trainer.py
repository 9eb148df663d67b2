"""Explain why a name is no setting of the section ``trainer``."""

from convexp.config.messages.suggestions import suggest
from convexp.config.schema import Trainer
from convexp.config.signatures.trainer import REFUSED, trainer_signature


def explain_trainer_setting(name: str) -> str:
    """Why ``trainer.NAME`` is no setting: convexp passes this argument itself, or Lightning's Trainer has none of this name."""
    if name in REFUSED:
        return f"trainer.{name}: is no setting; {REFUSED[name]}"
    known = dict.fromkeys([*Trainer.model_fields, *trainer_signature().schemas])
    return f"trainer.{name}: Lightning's Trainer has no such argument{suggest(name, known)}"
