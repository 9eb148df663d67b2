"""Whatever a run folder's configuration says: it is valid or refused in one line; nothing is executed or written."""

import copy
import os
import re
import sys

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convexp.config import Config, check_config, parse_trusted_config
from convexp.config.compose import compose_config
from convexp.config.hydra_files import read_saved_config
from convexp.errors import ConfigError

pytestmark = pytest.mark.integration

WRITES = ("os.", "shutil.", "subprocess.", "socket.", "urllib.", "ctypes.", "pty.", "tempfile.")
READS = ("os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.getxattr", "os.listxattr")


class Watch:
    """What Python does to the world, or imports from the folder, while it is entered."""

    def __init__(self):
        self.watching, self.seen = False, []
        sys.addaudithook(self.note)  # for good: a hook cannot be removed

    def note(self, event, arguments):
        if self.watching and self.changes(event, arguments):
            self.seen.append(f"{event} {arguments}")

    def changes(self, event, arguments):
        if event == "open":
            _, mode, flags = arguments
            return set(mode or "") & set("wax+") or (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if event == "import":
            return arguments[0].startswith("canary")
        return event.startswith(WRITES) and event not in READS

    def __enter__(self):
        self.seen.clear()
        self.watching = True
        return self.seen

    def __exit__(self, *_):
        self.watching = False


@pytest.fixture(scope="module")
def watch():
    return Watch()


def paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*path, key))


OPTIONS = ("probes=all", "callbacks=early_stopping", "study=four_corners", "logger=[csv,tensorboard]", "data=image_folder")
BASE = compose_config(*OPTIONS, "data.source.root=.", "data.classes=10", "data.image_shape=[1,28,28]").model_dump(by_alias=True)
PATHS = [path for path in paths(BASE) if path]
NAMES = [
    "canary.Thing",
    "canary",
    "os.system",
    "builtins.exec",
    "convexp.layers.local.LocallyConnected2d",
    "convexp.data.npz.npz",
    "convexp.data.vision.vision",
    "convexp.tracking.trackers.mlflow",
    "torch.optim.SGD",
    "torch.optim.lr_scheduler.LambdaLR",
    "pytorch_lightning.callbacks.ModelCheckpoint",
    "convexp..x",
    ".",
    "",
    "convexp/../canary.Thing",
]
TEXTS = [
    "${oc.create:{_target_:canary.Thing}}",
    "\\${oc.create:{_target_:canary.Thing}}",
    "${oc.env:HOME}",
    "${hydra:runtime.cwd}",
    "???",
    "~",
    "/proc/self/environ",
    "../..",
    "a\0b",
    "\x1b[2J",
    "\ud800",
    "params:" + "9" * 5000,
    "x" * 300,
    "1e999",
]
NUMBERS = [0, -1, 2**31, 2**63, 10**400, 1e308, float("nan"), float("inf"), -0.0, True, None]


def _nested(depth, inner):
    for _ in range(depth):
        inner = [inner]
    return inner


words = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8)
mild = st.sampled_from(NUMBERS) | st.sampled_from(NAMES) | words | st.integers(-5, 5) | st.floats()
scalars = mild | st.sampled_from(TEXTS) | st.text(max_size=8)
keys = st.sampled_from(["_target_", "_partial_", "_args_", "x", "name", "${x}", "root", "file", "cache", "lr"]) | words
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=8
)
targets = st.builds(
    lambda name, more: {**more, "_target_": name}, st.sampled_from(NAMES), st.dictionaries(keys, mild, max_size=2)
)
nests = st.builds(_nested, st.sampled_from([3, 10, 40]), targets | mild)
change = st.tuples(st.sampled_from(PATHS), st.none(), mild | st.lists(mild, max_size=3) | targets | nests)
changes = st.lists(change, min_size=1, max_size=2) | st.lists(
    st.tuples(st.sampled_from(PATHS), st.none() | keys, values | targets | nests), min_size=1, max_size=4
)


def changed(made):
    """``BASE`` with values, or keys beside them, of others."""
    config = copy.deepcopy(BASE)
    for path, key, value in made:
        place = config
        for part in path[:-1]:
            place = place.get(part) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[path[-1] if key is None else key] = value
    return config


def answer(folder, watch):
    with watch as seen:
        try:
            found = check_config(parse_trusted_config(read_saved_config(folder, "run").values))
        except ConfigError as error:
            found = str(error)
    assert found
    if isinstance(found, Config):
        names = re.findall(r"'_target_': '([^']*)'", str(found.model_dump(by_alias=True)))
        assert names
        assert all(name.startswith(("convexp.", "torch.optim.")) for name in names), names
        assert "${" not in str(found)
    assert seen == []
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory, watch):
    made = tmp_path_factory.mktemp("strange") / "run"
    (made / ".hydra").mkdir(parents=True)
    sys.path.insert(0, str(made))
    (made / "canary.py").write_text("raise AssertionError('imported')")
    write(made, BASE)
    check_config(parse_trusted_config(read_saved_config(made, "run").values))  # imports what is imported late
    yield made
    sys.path.remove(str(made))


def write(folder, config):
    (folder / ".hydra" / "config.yaml").write_bytes(yaml.safe_dump(config, allow_unicode=False).encode(errors="surrogatepass"))


quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@quick
@given(changes)
def test_any_values(folder, watch, made):
    write(folder, changed(made))
    answer(folder, watch)


@quick
@given(
    st.lists(
        st.tuples(
            st.integers(0, 200),
            st.text(max_size=20)
            | st.sampled_from(["*a", "&a [*a]", "!!python/name:os.system", "<<: {a: 1}", "? [", "- " * 50, "{" * 50]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_text(folder, watch, made):
    lines = yaml.safe_dump(BASE).splitlines()
    for at, text in made:
        lines.insert(at % len(lines), text)
    (folder / ".hydra" / "config.yaml").write_bytes("\n".join(lines).encode(errors="surrogatepass"))
    answer(folder, watch)


def test_the_watch_sees(watch, folder, tmp_path):
    """Else the others could not fail."""
    with watch as seen:
        (tmp_path / "x").write_text("")
        (tmp_path / "x").unlink()
        with pytest.raises(AssertionError, match="imported"):
            __import__("canary")
    assert len(seen) == 3
