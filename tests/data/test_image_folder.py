"""Images written as files and read back are what they were."""

import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import SMALL, read
from PIL import Image
from torch import Tensor

from convexp.data.decode import decode
from convexp.data.image_folder import image_folder
from convexp.data.source import Source, checksum, moments
from convexp.data.vision import vision
from convexp.errors import ConfigError
from convexp.execution import build


def write(folder: Path, images: Tensor, labels: Tensor, suffix: str = "png") -> None:
    """One file per image, in a folder per label."""
    for i, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        place = folder / f"class{label}"
        place.mkdir(parents=True, exist_ok=True)
        pixels = image[0] if len(image) == 1 else image.permute(1, 2, 0)
        Image.fromarray(pixels.numpy()).save(place / f"{i:05}.{suffix}")


def some(n: int = 30, channels: int = 3, size: tuple[int, int] = (6, 8), classes: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (n, channels, *size), dtype=torch.uint8, generator=generator)
    return images, torch.arange(n) % classes


def folder_source(root: Path, **changes) -> Source:
    settings = {"shape": [3, 6, 8], "classes": 3, "resize": "none", "test_size": 6, "split_seed": 0}
    return image_folder(str(root), **(settings | {"cache": str(root.parent / "cache")} | changes))


def bag(images: Tensor, labels: Tensor) -> list[tuple]:
    return sorted((int(label), *image.flatten().tolist()) for image, label in zip(images, labels, strict=True))


@pytest.mark.parametrize(("channels", "suffix"), [(1, "png"), (3, "png"), (3, "bmp"), (1, "tiff"), (3, "PNG")])
def test_what_is_written_is_read(tmp_path, channels, suffix):
    images, labels = some(channels=channels)
    write(tmp_path / "photos", images, labels, suffix)
    for resize in ("none", "fit", "stretch"):  # of images of the right size, all the same
        source = folder_source(tmp_path / "photos", shape=[channels, 6, 8], resize=resize)
        assert source.train_images.dtype == torch.uint8
        assert len(source.test_labels) == 6
        assert torch.bincount(source.test_labels).tolist() == [2, 2, 2]
        everything = torch.cat((source.train_images, source.test_images)), torch.cat((source.train_labels, source.test_labels))
        assert bag(*everything) == bag(images, labels)


def test_parts_of_its_own(tmp_path):
    images, labels = some(40)
    for part, rows in {"train": slice(0, 20), "val": slice(20, 32), "test": slice(32, 40)}.items():
        write(tmp_path / "photos" / part, images[rows], labels[rows])
    source = folder_source(tmp_path / "photos")
    assert bag(source.train_images, source.train_labels) == bag(images[:32], labels[:32])
    assert bag(source.test_images, source.test_labels) == bag(images[32:], labels[32:])
    shutil.rmtree(tmp_path / "photos" / "test")
    source = folder_source(tmp_path / "photos")
    assert bag(source.train_images, source.train_labels) == bag(images[:20], labels[:20])
    assert bag(source.test_images, source.test_labels) == bag(images[20:32], labels[20:32])


def test_the_second_start_reads_no_image(tmp_path, monkeypatch):
    images, labels = some()
    write(tmp_path / "photos", images, labels)
    first = folder_source(tmp_path / "photos")
    monkeypatch.setattr("convexp.data.decode.decode", None)
    monkeypatch.setattr("convexp.data.listing.Listing.content", None)
    second = folder_source(tmp_path / "photos")
    assert torch.equal(first.train_images, second.train_images)
    assert first.checksum() == second.checksum()


def test_the_key_is_the_content(tmp_path, monkeypatch):
    """Moved, copied and touched folders find their array; a changed pixel, name or setting does not."""
    images, labels = some()
    write(tmp_path / "photos", images, labels)
    first = folder_source(tmp_path / "photos")
    made = []
    monkeypatch.setattr("convexp.data.decode.decode", lambda *a: made.append(a) or decode(*a))
    shutil.copytree(tmp_path / "photos", tmp_path / "copy")
    (tmp_path / "photos" / "class0" / "00000.png").touch()
    for name in ("copy", "photos"):
        assert folder_source(tmp_path / name).checksum() == first.checksum()
    assert made == []
    assert folder_source(tmp_path / "photos", split_seed=1).checksum() != first.checksum()
    assert len(made) == 30
    file = tmp_path / "photos" / "class0" / "00000.png"
    before = file.stat()
    changed = images[0].clone()
    changed[0, 0, 0] ^= 1
    Image.fromarray(changed.permute(1, 2, 0).numpy()).save(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # the clock tells nothing
    source = folder_source(tmp_path / "photos")
    assert source.checksum() != first.checksum()
    assert len(made) == 60
    everything = torch.cat((source.train_images, source.test_images)), torch.cat((source.train_labels, source.test_labels))
    assert bag(*everything) == bag(torch.cat((changed[None], images[1:])), labels)


@pytest.mark.parametrize("left", [0, -20])
@pytest.mark.parametrize("damage", ["images.npy", "labels.npy", "moments.npy", "about.json"])
def test_a_damaged_cache_is_made_anew(tmp_path, damage, left):
    images, labels = some()
    write(tmp_path / "photos", images, labels)
    first = folder_source(tmp_path / "photos")
    images = first.train_images.clone()  # the file is going to be cut short under its map
    (file,) = (tmp_path / "cache").glob(f"*/{damage}")
    file.write_bytes(file.read_bytes()[:left])
    second = folder_source(tmp_path / "photos")
    assert torch.equal(images, second.train_images)
    assert first.checksum() == second.checksum()


@pytest.mark.parametrize("altered", ["images.npy", "labels.npy", "moments.npy"])
def test_an_altered_cache_is_noticed_and_made_anew(tmp_path, capsys, altered):
    """Its length and its note are as they were; only reading it tells."""
    write(tmp_path / "photos", *some())
    first = folder_source(tmp_path / "photos")
    before = [tensor.clone() for tensor in (first.train_images, first.train_labels, first.test_images, first.test_labels)]
    (file,) = (tmp_path / "cache").glob(f"*/{altered}")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    second = folder_source(tmp_path / "photos")
    assert "altered" in capsys.readouterr().out
    after = (second.train_images, second.train_labels, second.test_images, second.test_labels)
    assert all(map(torch.equal, before, after))
    assert second.precomputed is not None
    assert torch.equal(second.precomputed.moments, moments(second.train_images))
    assert second.checksum() == checksum(*before)


def test_what_is_known_of_stored_images_is_what_reading_gives(tmp_path):
    images, labels = some(33)
    write(tmp_path / "photos", images, labels)
    source = folder_source(tmp_path / "photos")
    in_memory = Source(source.train_images, source.train_labels, source.test_images, source.test_labels)
    assert source.precomputed is not None
    assert source.checksum() == in_memory.checksum()
    rows = torch.tensor([0, 5, 9])
    assert source.statistics(rows) == in_memory.statistics(rows)
    assert torch.equal(source.precomputed.moments, moments(source.train_images))


def test_linked_folders_and_all_usual_names_are_used(tmp_path):
    images, labels = some(50)
    for k, suffix in enumerate(("png", "jpg", "jfif", "JPE", "pnm")):  # a fifth of the images each, the last one elsewhere
        place = tmp_path / "elsewhere" if suffix == "pnm" else tmp_path / "photos"
        write(place, images[10 * k : 10 * k + 10], labels[10 * k : 10 * k + 10], suffix)
    for label in range(3):
        for i in range(10):
            file = tmp_path / "photos" / f"class{label}" / f"{i:05}.png"
            if file.exists():
                file.rename(file.with_stem(f"a{i}"))
    before = folder_source(tmp_path / "photos", test_size=3)
    for label in range(3):
        (tmp_path / "photos" / f"class{label}" / "more").symlink_to(tmp_path / "elsewhere" / f"class{label}")
    after = folder_source(tmp_path / "photos", test_size=3)
    assert (len(before.train_labels) + 3, len(after.train_labels) + 3) == (40, 50)
    assert after.notes == {"left_out": {}}


@pytest.mark.parametrize("parts", [False, True])
def test_what_is_left_out_is_said_and_noted(tmp_path, capsys, parts):
    """And links end, wherever they lead."""
    images, labels = some(30)
    root = tmp_path / "photos"
    for part in ("train", "test") if parts else ("",):
        write(root / part, images, labels)
        place = root / part / "class0"
        (place / "again").symlink_to(place)
        (place / "up").symlink_to(tmp_path)
        (place / "deep").mkdir()
        (place / "deep" / "back").symlink_to("..")
        (place / "deep" / "other").symlink_to("../../class1")
        (place / "deep" / "same").symlink_to("../../class1")
        for name in ("notes.txt", "b.TXT", "README", ".hidden.png", "photo.heic"):
            (place / name).write_text("")
        os.mkfifo(place / "pipe.png")
        (place / "gone.png").symlink_to("nowhere.png")
        (root / part / ".git").mkdir()
        for name in ("a", "b"):
            (root / part / ".git" / name).write_text("")
        (root / part / "labels.csv").write_text("")
    expected = {"named .txt": 2, "named without a suffix": 1, "named .heic": 1, "hidden": 3, "linked twice": 4}
    expected |= {"beside the classes": 1, "no files, or links to none": 2}
    if parts:
        expected = {why: 2 * n for why, n in expected.items()} | {"beside the parts": 3}
        (root / "extra").mkdir()
        for name in ("extra/1.png", "extra/2.png", "about.md"):
            (root / name).write_text("")
    source = folder_source(root)
    assert source.notes == {"left_out": expected}
    assert len(source.train_labels) + len(source.test_labels) == (80 if parts else 40)
    said = capsys.readouterr().out
    assert said.startswith(f"{root}: {sum(expected.values())} files are not used: ")
    assert all(f"{n} {why}" in said for why, n in expected.items())
    folder_source(root)
    assert capsys.readouterr().out == said  # of a cached array, too


def test_names_that_are_no_text(tmp_path):
    images, labels = some()
    write(tmp_path / "photos", images, labels)
    names = [os.fsdecode(b"caf\xe9.png"), os.fsdecode("日本.png".encode("shift_jis"))]
    for name, label in zip(names, (0, 1), strict=True):
        file = tmp_path / "photos" / f"class{label}" / f"{label:05}.png"
        file.rename(file.with_name(name))
    source = folder_source(tmp_path / "photos")
    everything = torch.cat((source.train_images, source.test_images)), torch.cat((source.train_labels, source.test_labels))
    assert bag(*everything) == bag(images, labels)
    (tmp_path / "photos" / "class0" / names[0]).write_bytes(b"no image")
    with pytest.raises(ConfigError, match=r"class0/caf\\udce9\.png: cannot be read") as caught:
        folder_source(tmp_path / "photos")
    str(caught.value).encode()  # printable


def test_kinds_of_images(tmp_path):
    """Palettes, transparency and EXIF orientation are understood."""
    pixels = np.zeros((4, 6, 4), np.uint8)
    pixels[..., 0], pixels[:2, :, 3] = 200, 255  # red; the lower half transparent
    Image.fromarray(pixels).save(tmp_path / "a.png")
    seen = decode(tmp_path / "a.png", [3, 4, 6], "none")
    assert seen[0, :2].tolist() == [[200] * 6] * 2
    assert not seen[:, 2:].any()
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise
    bars = np.zeros((8, 16), np.uint8)
    bars[:, :8] = 255  # bright on the left, so on top when upright
    Image.fromarray(bars).save(tmp_path / "b.jpg", exif=turned, quality=95)
    upright = decode(tmp_path / "b.jpg", [1, 16, 8], "none")[0]
    assert upright[:6].min() > 200
    assert upright[10:].max() < 50
    grey = Image.fromarray(np.tile(np.arange(0, 160, 10, np.uint8), (8, 1)))
    grey.convert("P").save(tmp_path / "c.gif")
    assert decode(tmp_path / "c.gif", [3, 8, 16], "none").tolist() == [np.asarray(grey).tolist()] * 3


def test_fit_keeps_the_middle_and_stretch_keeps_everything(tmp_path):
    wide = np.zeros((4, 12), np.uint8)
    wide[:, 4:8] = 255
    Image.fromarray(wide).save(tmp_path / "a.png")
    assert decode(tmp_path / "a.png", [1, 4, 4], "fit").min() == 255
    stretched = decode(tmp_path / "a.png", [1, 4, 3], "stretch")[0]
    assert stretched[:, 1].min() > 200
    assert stretched[:, [0, 2]].max() < 60


def png_of_sixteen_bits() -> bytes:
    """8x6 pixels in colour, black; Pillow writes none such."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 6, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(6 * (1 + 8 * 6)))) + chunk(b"IEND", b"")


def tiff_of_sixteen_bits() -> bytes:
    """The same without compression."""
    at = 8 + 2 + 9 * 12 + 4  # behind the header and the list of entries; the three depths, then the pixels
    short, long = 3, 4
    entries = [
        (256, short, 1, 8),  # width
        (257, short, 1, 6),  # height
        (258, short, 3, at),  # bits of each channel
        (259, short, 1, 1),  # no compression
        (262, short, 1, 2),  # red, green, blue
        (273, long, 1, at + 6),  # where the pixels begin
        (277, short, 1, 3),  # channels
        (278, short, 1, 6),  # rows
        (279, long, 1, 8 * 6 * 6),  # bytes
    ]
    listed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, 9) + listed + bytes(4) + struct.pack("<HHH", 16, 16, 16) + bytes(8 * 6 * 6)


def wrong(tmp_path: Path, kind: str) -> dict:
    """Make something wrong in the folder; returns the settings to read it with."""
    folder = tmp_path / "photos"
    a, b = folder / "class0" / "00000.png", folder / "class1" / "00001.png"
    if kind == "truncated":
        a.write_bytes(a.read_bytes()[:40])
    elif kind == "no image":
        a.write_text("<html>not found</html>")
    elif kind == "two of them":
        a.write_bytes(b"")
        b.write_bytes(b"")
    elif kind == "another size":
        Image.new("RGB", (9, 9)).save(a)
    elif kind == "sixteen bits":
        Image.fromarray(np.zeros((6, 8), np.uint16)).save(a)
    elif kind == "sixteen bits of each colour":
        a.write_bytes(png_of_sixteen_bits())
    elif kind == "sixteen bits of each colour, as TIFF":
        a.unlink()
        a.with_suffix(".tif").write_bytes(tiff_of_sixteen_bits())
    elif kind == "sixteen bits of each colour, as PPM":
        a.unlink()
        a.with_suffix(".ppm").write_bytes(b"P6 8 6 1023\n" + bytes(8 * 6 * 6))
    elif kind == "empty class":
        (folder / "class9").mkdir()
        return {"classes": 4}
    elif kind == "no classes":
        shutil.rmtree(folder)
        folder.mkdir()
    elif kind == "a class in one part only":
        shutil.copytree(folder, folder / "train")
        shutil.copytree(folder / "class0", folder / "test" / "class0")
    elif kind == "a part of another name":
        for part in ("train", "validation"):
            shutil.copytree(folder / "class0", folder / part / "class0")
    return {
        "class count": {"classes": 2},
        "one test image": {"test_size": 1},
        "a cache that cannot be written": {"cache": "/proc/nowhere"},
        "test size of text": {"test_size": "10%"},
        "negative test size": {"test_size": -0.2},
        "unknown resize": {"resize": "crop"},
    }.get(kind, {})


WRONG = {
    "truncated": ["class0/00000.png", "cannot be read"],
    "no image": ["class0/00000.png", "cannot be read"],
    "two of them": ["class0/00000.png", "and 1 more"],
    "another size": ["class0/00000.png", "9x9", "data.image_shape=[3, 6, 8]"],
    "sixteen bits": ["class0/00000.png", "pixels of kind I"],  # I or I;16, by the version of Pillow
    "sixteen bits of each colour": ["class0/00000.png: has 16 bits per channel; should have 8"],
    "sixteen bits of each colour, as TIFF": ["class0/00000.tif: has 16 bits per channel; should have 8"],
    "sixteen bits of each colour, as PPM": ["class0/00000.ppm: has 16 bits per channel; should have 8"],
    "empty class": ["class9", "no images"],
    "no classes": ["photos", "one per class"],
    "a class in one part only": ["class1", "same classes"],
    "class count": ["data.classes=2", "3 folders"],
    "a part of another name": ["train would be a class", "train and test"],
    "a cache that cannot be written": ["data.source.cache=/proc/nowhere", "cannot be used"],
    "test size of text": ["data.source.test_size=10%", "share"],
    "negative test size": ["data.source.test_size=-0.2", "share"],
    "one test image": ["data.source.test_size=1"],
    "unknown resize": ["data.source.resize=crop", "stretch"],
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_named_and_nothing_is_cached(tmp_path, kind):
    write(tmp_path / "photos", *some())
    settings = wrong(tmp_path, kind)
    with pytest.raises(ConfigError) as caught:
        folder_source(tmp_path / "photos", **settings)
    for word in WRONG[kind]:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [p for p in (tmp_path / "cache").glob("*") if p.is_dir()] == []


def test_a_run_on_a_folder_says_what_is_wrong_before_it_starts(call, tmp_path):
    photos = tmp_path.parent / f"{tmp_path.name}-photos"
    write(photos / "p", *some(60))
    own = ("data=image_folder", f"data.source.root={photos}/p", "data.image_shape=[3,6,8]", f"data.source.cache={photos}/cache")
    probes = ("probes.shift_map.max_shift=1", "probes.consistency.max_shift=1")
    done = call("train", *SMALL, *own, *probes, "data.classes=3", "hydra.run.dir=run", "data.batch_size=8")
    assert done.code == 0, done.err
    assert read(tmp_path / "run")["data"]["test"] == 12
    shutil.rmtree(tmp_path / "run")
    (photos / "p" / "class0" / "00000.png").write_bytes(b"")
    for arguments in (["data.classes=3"], ["data.classes=4"], [], ["data.classes=3", "data.source.root=nowhere"]):
        done = call("train", *SMALL, *own, *probes, *arguments, "hydra.run.dir=run")
        assert done.code == 2
        assert done.err.count("\n") == 1, done.err
        assert list(tmp_path.iterdir()) == []


def test_a_class_of_too_few_images_is_called_by_its_name(call, tmp_path):
    photos = tmp_path.parent / f"{tmp_path.name}-photos"
    write(photos / "p", *some(40, classes=1))
    write(photos / "few", *some(3, classes=1))
    (photos / "few" / "class0").rename(photos / "p" / "dog's")
    own = ("data=image_folder", f"data.source.root={photos}/p", "data.image_shape=[3,6,8]", f"data.source.cache={photos}/cache")
    for arguments, said in (
        ([], "data.val_size=0.1: no sample of class dog's, which has 2 of the 34 samples that are not for testing, would be"),
        (
            ["data.val_size=0.27", "data.train_size=2"],
            "data.train_size=2: no sample of class dog's, which has 1 of the 25 samples",
        ),
        (
            ["data.source.test_size=1"],
            "data.source.test_size=1: no sample of class dog's, which has 3 of the 43 samples, would be",
        ),
    ):
        done = call("train", *SMALL, *own, "data.classes=2", *arguments)
        assert (done.code, done.err.count("\n")) == (2, 1), done.err
        assert said in done.err
        assert list(tmp_path.iterdir()) == []


def test_the_first_test_images_are_of_all_classes(tmp_path):
    """Probes look at the first so many."""
    write(tmp_path / "photos", *some(60))
    assert folder_source(tmp_path / "photos", test_size=12).test_labels[:3].sort().values.tolist() == [0, 1, 2]
    for part in ("train", "test"):
        write(tmp_path / "parts" / part, *some(12))
    assert folder_source(tmp_path / "parts").test_labels[:3].sort().values.tolist() == [0, 1, 2]


def test_the_order_does_not_depend_on_what_lies_in_the_cache(tmp_path):
    for part in ("train", "test"):
        write(tmp_path / "photos" / part, *some(12))
    fresh = {seed: folder_source(tmp_path / "photos", split_seed=seed, cache=str(tmp_path / f"{seed}")) for seed in range(3)}
    assert len({source.checksum() for source in fresh.values()}) == 3
    for seed, source in fresh.items():
        assert folder_source(tmp_path / "photos", split_seed=seed).checksum() == source.checksum()


def test_a_full_disk_is_an_error(tmp_path, monkeypatch):
    write(tmp_path / "photos", *some())

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ConfigError, match=r"data.source.cache=.*No space left.* MB free"):
        folder_source(tmp_path / "photos")
    assert [p for p in (tmp_path / "cache").glob("*") if p.is_dir()] == []


def test_a_cache_is_shared_with_those_the_umask_allows(tmp_path):
    write(tmp_path / "photos", *some())
    folder_source(tmp_path / "photos")
    plain = tmp_path / "plain"
    plain.mkdir()
    for made in (tmp_path / "cache").glob("*"):
        if made.is_dir():
            assert made.stat().st_mode == plain.stat().st_mode
        elif made.suffix == ".json":
            (plain / "x").touch()
            assert made.stat().st_mode == (plain / "x").stat().st_mode


@pytest.mark.parametrize("resumed_at", [1, 2])
def test_a_streamed_run_is_resumed_bit_for_bit(call, tmp_path, monkeypatch, interrupted_at, resumed_at):
    photos = tmp_path.parent / f"{tmp_path.name}-photos"
    write(photos / "p", *some(90))
    own = ("data=image_folder", f"data.source.root={photos}/p", "data.image_shape=[3,6,8]", f"data.source.cache={photos}/cache")
    more = ("data.classes=3", "data.shift.train=2", "data.batch_size=8", "data.memory_gb=0.000001", "data.workers=1")
    run = (*SMALL, *own, *more, "probes.consistency.max_shift=1", "trainer.max_epochs=4")
    monkeypatch.setenv("CONVEXP_CACHE", f"{photos}/cache")  # for what a run folder says of it is not heeded
    assert call("train", *run, "hydra.run.dir=whole").code == 0
    with interrupted_at(epoch=resumed_at, batch=3):
        assert call("train", *run, "hydra.run.dir=part").code == 130
    done = call("train", "resume=part")
    assert done.code == 0, done.err
    for key in ("train/loss", "val/loss", "test/loss"):
        assert read(tmp_path / "part")["metrics"].get(key) == read(tmp_path / "whole")["metrics"].get(key)
    a, b = (torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True) for name in ("part", "whole"))
    assert all(torch.equal(a["state_dict"][name], b["state_dict"][name]) for name in b["state_dict"])


def test_images_that_have_changed_are_not_gone_on_with(call, tmp_path, monkeypatch, interrupted_at):
    photos = tmp_path.parent / f"{tmp_path.name}-photos"
    monkeypatch.setenv("CONVEXP_CACHE", f"{photos}/cache")
    write(photos / "p", *some(60))
    own = ("data=image_folder", f"data.source.root={photos}/p", "data.image_shape=[3,6,8]", f"data.source.cache={photos}/cache")
    with interrupted_at(epoch=1, batch=0):
        small = ("data.classes=3", "data.batch_size=8", "probes.consistency.max_shift=1")
        assert call("train", *SMALL, *own, *small, "hydra.run.dir=run").code == 130
    Image.new("RGB", (8, 6), "red").save(photos / "p" / "class0" / "00000.png")
    build._dataset.cache_clear()  # as in another process
    done = call("train", "resume=run")
    assert done.code == 2
    assert "have changed" in done.err
    assert done.err.count("\n") == 1


def test_streaming_changes_nothing(call, tmp_path):
    """The same metrics to the last bit, whether the images are in memory or come from the map by workers."""
    photos = tmp_path.parent / f"{tmp_path.name}-photos"
    write(photos / "p", *some(90))
    own = ("data=image_folder", f"data.source.root={photos}/p", "data.image_shape=[3,6,8]", f"data.source.cache={photos}/cache")
    more = ("probes.shift_map.max_shift=1", "probes.consistency.max_shift=1", "data.classes=3", "data.shift.train=1")
    results = []
    for name, streamed in (("memory", ()), ("stream", ("data.memory_gb=0.000001", "data.workers=2"))):
        done = call("train", *SMALL, *own, *more, *streamed, f"hydra.run.dir={name}", "data.batch_size=8")
        assert done.code == 0, done.err
        results.append(read(tmp_path / name))
    for key in ("val/loss", "test/loss", "val/acc", "test/acc"):
        assert results[0]["metrics"][key] == results[1]["metrics"][key]
    assert results[0]["identity"] == results[1]["identity"]


@pytest.mark.e2e
@pytest.mark.data
def test_a_killed_caching_run_leaves_no_wrong_cache(tmp_path, data_dir):
    """kill -9 at several moments of a real caching run on MNIST images; the next start gives the right array."""
    original = vision("MNIST", str(data_dir), download=False)
    images, labels = original.test_images[:2000], original.test_labels[:2000]
    write(tmp_path / "photos", images, labels)
    settings = {"shape": [1, 28, 28], "classes": 10, "resize": "none", "test_size": 400, "split_seed": 0}
    script = (
        "from convexp.data.image_folder import image_folder\n"
        f"image_folder({str(tmp_path / 'photos')!r}, **{settings!r}, cache={str(tmp_path / 'cache')!r})"
    )
    killed = 0
    for wait in (0.0, 0.05, 0.15):
        process = subprocess.Popen([sys.executable, "-c", script])
        while process.poll() is None and not list((tmp_path / "cache").glob("*.partial-*/images.npy")):
            time.sleep(0.005)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
    assert killed  # at least the first came in the middle
    source = folder_source(tmp_path / "photos", **settings)
    everything = torch.cat((source.train_images, source.test_images)), torch.cat((source.train_labels, source.test_labels))
    assert bag(*everything) == bag(images, labels)
    assert list((tmp_path / "cache").glob("*.partial-*")) == []
