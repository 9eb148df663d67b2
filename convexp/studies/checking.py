"""The checks of many configurations: those equal apart from seed and name are checked once, as no check asks for these."""

import hashlib
from typing import Any

from convexp.config.checked_ahead import note_checked, without_seed_and_name
from convexp.config.folders import check_name
from convexp.config.load import load_values
from convexp.records.identity import canonical_json

SEED = "\0seed"


class Checker:
    """Checks configurations, and tells their identities."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Identities] = {}

    def identity(self, values: dict[Any, Any]) -> str:
        """Check a configuration and return its identity.

        Args:
            values: Its resolved values.

        Raises:
            ConfigError: naming the setting that is wrong.
        """
        key, seed, name = without_seed_and_name(values), values.get("seed"), values.get("name")
        if key not in self._known or not _is_seed(seed) or not isinstance(name, str) or "${" in name or name == "???":
            config = load_values(values)
            self._known[key] = _Identities(config.identity())
            note_checked(key)
            seed = config.seed
        else:
            check_name("name", name)
        return self._known[key].of_seed(seed)


def _is_seed(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**32


class _Identities:
    """The identities of configurations that are equal apart from the seed: ``identity_hash`` without most of its work."""

    def __init__(self, settings: dict[str, Any]) -> None:
        before, after = canonical_json({**settings, "seed": SEED}).split(canonical_json(SEED))
        self._before = hashlib.sha256(before.encode())
        self._after = after.encode()

    def of_seed(self, seed: Any) -> str:
        digest = self._before.copy()
        digest.update(str(seed).encode())
        digest.update(self._after)
        return digest.hexdigest()[:16]
