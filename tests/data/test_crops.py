import io
import os
import pickle
import sys
import tarfile
import zipfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader

from preimage.data.archives import PhotoError
from preimage.data.crops import (
    Augment,
    Batch,
    CropDataset,
    EpochBatches,
    permutation,
    random_numbers,
)
from preimage.data.memory import MemorySource, read_squares
from preimage.data.sources import ImageSource, open_images


def picture(seed: int, width: int = 9, height: int = 7, mode: str = "RGB") -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    return Image.fromarray(values, "RGBA" if mode == "RGBA" else None).convert(mode)


def encoded(seed: int = 0, kind: str = "PNG", **how: object) -> bytes:
    stream = io.BytesIO()
    picture(seed, **how).save(stream, kind)  # type: ignore[arg-type]
    return stream.getvalue()


FILES = {
    "été/a.png": encoded(0),
    "été/b.png": encoded(1, mode="L"),
    "猫/below/c.png": encoded(2, mode="RGBA"),
    "猫/d.JPG": encoded(3, "JPEG"),
    "猫/one.png": encoded(4, width=1, height=1),
}
BAD = {
    "été/broken.jpg": encoded(5, "JPEG", width=90, height=80)[:-600],
    "猫/text.jpg": b"this is no image\n",
    "猫/empty.png": b"",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in {**FILES, "notes.txt": b"not a photo"}.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "photos"


def make_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def assert_holds_the_files(source: ImageSource) -> None:
    assert source.names == sorted(FILES)
    assert source.problems == ()
    for index, name in enumerate(source.names):
        image = Image.open(io.BytesIO(FILES[name]))
        pixels = source.read(index)
        assert pixels.dtype == torch.uint8
        assert pixels.shape == (3, image.height, image.width)
        if image.mode == "RGB":
            np.testing.assert_array_equal(pixels.permute(1, 2, 0), np.asarray(image))


def test_folders_zips_tars_and_patterns_hold_the_same(folder: Path, tmp_path: Path) -> None:
    sources = [
        open_images(folder),
        open_images(str(folder / "**" / "*.[pJ]*")),
        open_images(make_zip(tmp_path / "a.zip", FILES)),
        open_images(make_zip(tmp_path / "stored.zip", FILES, zipfile.ZIP_STORED)),
        open_images(make_zip(tmp_path / "lzma.zip", FILES, zipfile.ZIP_LZMA)),
        open_images(make_tar(tmp_path / "a.tar", {f"./{k}": v for k, v in FILES.items()})),
    ]
    for source in sources:
        assert_holds_the_files(source)
        assert_holds_the_files(pickle.loads(pickle.dumps(source)))
    assert len({source.fingerprint for source in sources[2:5]}) == 1
    assert sources[0].fingerprint == sources[1].fingerprint


def test_parts_of_a_zip_and_single_files(folder: Path, tmp_path: Path) -> None:
    nested = {
        f"set/{part}/{name}": data for part in ("train", "test") for name, data in FILES.items()
    }
    path = make_zip(tmp_path / "a.zip", {**nested, "set/train2/x.png": encoded()})
    part = open_images(f"{path}/set/train", labelled=True)
    assert_holds_the_files(part)
    assert part.classes == ("été", "猫")
    assert part.labels is not None
    assert part.labels.tolist() == [0, 0, 1, 1, 1]
    assert open_images(f"{path}/set/train/").names == part.names
    assert open_images(f"{path}/set/train/猫/d.JPG").names == ["d.JPG"]
    assert open_images(folder / "猫" / "d.JPG").names == ["d.JPG"]
    with pytest.raises(PhotoError, match=r"a\.zip/set/val: no photo there in this zip"):
        open_images(f"{path}/set/val")
    with pytest.raises(PhotoError, match="parts of a data set, not classes; name one of them"):
        open_images(make_zip(tmp_path / "b.zip", nested), labelled=True)


def test_a_fingerprint_knows_names_sizes_and_a_zips_checksums(folder: Path, tmp_path: Path) -> None:
    before = open_images(folder).fingerprint
    assert open_images(folder.rename(tmp_path / "moved")).fingerprint == before
    (tmp_path / "moved" / "猫" / "d.JPG").write_bytes(encoded(4, "JPEG") + b"\0")
    assert open_images(tmp_path / "moved").fingerprint != before
    one, other = (
        open_images(make_zip(tmp_path / f"{value}.zip", {"a.png": bytes([value]) * 9}))
        for value in (1, 2)
    )
    assert one.fingerprint != other.fingerprint


def test_shards_and_their_classes(tmp_path: Path) -> None:
    for shard in range(3):
        files: dict[str, bytes] = {}
        for i in range(2):
            key = f"{shard:02}{i:03}"
            files |= {
                f"{key}.jpg": encoded(2 * shard + i, "JPEG"),
                f"{key}.cls": str(i * 3).encode(),
            }
        make_tar(tmp_path / f"set-{shard:03}.tar", files)
    source = open_images(str(tmp_path / "set-{000..002}.tar"), labelled=True)
    assert len(source) == 6
    assert source.names[3] == "set-001.tar/01001.jpg"
    assert source.labels is not None
    assert source.labels.tolist() == [0, 3] * 3
    assert source.classes == ("0", "1", "2", "3")
    expected = np.asarray(Image.open(io.BytesIO(encoded(5, "JPEG"))))
    np.testing.assert_array_equal(source.read(5).permute(1, 2, 0), expected)
    same = open_images(str(tmp_path / "set-*.tar"), labelled=True)
    assert same.fingerprint == source.fingerprint
    two = open_images(str(tmp_path / "set-{002,000}.tar"))
    assert two.names == [
        f"set-{a}.tar/{a[1:]}{b}.jpg" for a in ("002", "000") for b in ("000", "001")
    ]
    make_tar(tmp_path / "set-003.tar", {"x.jpg": encoded(), "y.jpg": encoded(), "y.cls": b"4"})
    with pytest.raises(PhotoError, match=r"set-003\.tar/x\.jpg: no \.cls member"):
        open_images(str(tmp_path / "set-*.tar"), labelled=True)
    make_tar(
        tmp_path / "words.tar",
        {"x.jpg": encoded(), "x.cls": b"dog", "y.jpg": encoded(), "y.cls": b"cat\n"},
    )
    words = open_images(tmp_path / "words.tar", labelled=True)
    assert words.classes == ("cat", "dog")
    assert words.labels is not None
    assert words.labels.tolist() == [1, 0]


def test_a_damaged_shard_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    whole = make_tar(tmp_path / "s-0.tar", {"a.png": encoded(0), "b.png": encoded(1)})
    cut = make_tar(tmp_path / "s-1.tar", {"c.png": encoded(2), "d.png": encoded(3)})
    cut.write_bytes(cut.read_bytes()[: 512 + 512 + 512 + 100])  # inside d.png
    (tmp_path / "s-2.tar").write_bytes(b"\x1f\x8b")
    source = open_images(str(tmp_path / "s-{0..3}.tar"))
    assert source.names[:2] == ["s-0.tar/a.png", "s-0.tar/b.png"]
    assert source.read(2).shape == (3, 7, 9)
    assert ["s-1" in source.problems[0], "s-2" in source.problems[1]] == [True, True]
    assert "s-3.tar: no such file" in source.problems[2]
    assert len(open_images(whole)) == 2
    with pytest.raises(PhotoError, match="not a complete, uncompressed tar"):
        open_images(tmp_path / "s-2.tar")


def test_what_holds_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    make_zip(tmp_path / "empty.zip", {})
    make_zip(tmp_path / "text.zip", {"a.txt": b"text"})
    make_tar(tmp_path / "empty.tar", {"a.txt": b"text"})
    (tmp_path / "broken.zip").write_bytes(make_zip(tmp_path / "x.zip", FILES).read_bytes()[-60:])
    for name, words in {
        "empty": "no photo in this folder",
        "empty.zip": "no photo in this zip",
        "text.zip": "no photo in this zip",
        "empty.tar": "no photo in this tar",
        "broken.zip": "can't be read",
        "nowhere": "no such file or folder",
        "*.nothing": "no file matches",
        "{e,f}mpty": "none of 2 files and archives can be read; the first: .*no photo",
    }.items():
        with pytest.raises(PhotoError, match=words) as caught:
            open_images(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_classes_need_folders(folder: Path, tmp_path: Path) -> None:
    source = open_images(folder, labelled=True)
    assert source.classes == ("été", "猫")
    (folder / "loose.png").write_bytes(encoded())
    with pytest.raises(PhotoError, match=r"loose\.png: not in a class folder"):
        open_images(folder, labelled=True)
    with pytest.raises(PhotoError, match="not in a class folder"):
        open_images(folder / "été", labelled=True)


def test_names_that_are_no_text_and_dead_links(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/\xff.png"
    Path(os.fsdecode(raw)).write_bytes(encoded())
    (tmp_path / "z.png").symlink_to(tmp_path / "nowhere.png")
    source = open_images(tmp_path)
    assert source.names == ["\\xff.png", "z.png"] or source.names == ["z.png", "\\xff.png"]
    assert source.read(source.names.index("\\xff.png")).shape == (3, 7, 9)
    with pytest.raises(PhotoError, match=r"z\.png: can't be read.*No such file"):
        source.read(source.names.index("z.png"))


def test_damaged_members_are_named(tmp_path: Path) -> None:
    path = make_zip(
        tmp_path / "a.zip", {"a.png": encoded(0), "b.png": encoded(1)}, zipfile.ZIP_STORED
    )
    data = bytearray(path.read_bytes())
    data[data.index(b"a.png") + 60] ^= 0xFF
    data[data.index(b"PK\x03\x04", 10)] ^= 0xFF
    path.write_bytes(data)
    source = open_images(path)
    with pytest.raises(PhotoError, match=r"a\.zip/a\.png: can't be read.*checksum"):
        source.read(0)
    with pytest.raises(PhotoError, match=r"a\.zip/b\.png: can't be read.*damaged"):
        source.read(1)


# --- crops --------------------------------------------------------------------------------------


def memory(count: int, height: int, width: int, seed: int = 0) -> MemorySource:
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 3, height, width), dtype=np.uint8)
    names = [str(i) for i in range(count)]
    labels = np.arange(count) % 3
    return MemorySource(torch.from_numpy(pixels), names, "", labels, ("a", "b", "c"))


class Plain(ImageSource):
    """The images of another source, one by one."""

    def __init__(self, source: ImageSource, bad: tuple[int, ...] = ()) -> None:
        self.source, self.bad = source, bad
        self.labels, self.fingerprint = source.labels, source.fingerprint

    def __len__(self) -> int:
        return len(self.source)

    def name(self, index: int) -> str:
        return self.source.name(index)

    def read(self, index: int) -> Tensor:
        if index in self.bad:
            raise PhotoError(f"{index}: broken.")
        return self.source.read(index)


def naive_crop(photo: np.ndarray, size: int, draw: np.ndarray, augment: Augment) -> np.ndarray:
    height, width = photo.shape[1:]

    def at(i: int, j: int) -> np.ndarray:
        if augment.reflect:
            i, j = abs(i), abs(j)
            i, j = min(i, 2 * height - 2 - i), min(j, 2 * width - 2 - j)
        inside = 0 <= i < height and 0 <= j < width
        return photo[:, i, j] if inside else np.zeros(3, np.uint8)

    pad = augment.pad
    top = int(draw[0] * (height + 2 * pad - size + 1)) - pad
    left = int(draw[1] * (width + 2 * pad - size + 1)) - pad
    columns = range(size)[::-1] if augment.flip and draw[2] < 0.5 else range(size)
    return np.stack(
        [np.stack([at(top + i, left + j) for j in columns], -1) for i in range(size)], 1
    )


@settings(max_examples=30)
@given(st.integers(0, 3), st.booleans(), st.booleans(), st.integers(4, 6), st.integers(0, 99))
def test_crops_equal_the_naive_ones(
    pad: int, reflect: bool, flip: bool, size: int, seed: int
) -> None:
    augment = Augment(flip, pad, reflect)
    source = memory(4, 6, 9)
    keys = [(0, 3), (5, 0), (5, 3), (2**40, 1)]
    batch = CropDataset(source, size, seed, augment=augment).batch(keys)
    draws = random_numbers(seed, *np.array(keys).T, 3)
    for crop, (_, index), draw in zip(batch.pixels, keys, draws, strict=True):
        expected = naive_crop(source.read(index).numpy(), size, draw, augment)
        np.testing.assert_array_equal(crop, expected)
    assert batch.labels is not None
    assert batch.labels.tolist() == [0, 0, 0, 1]
    one_by_one = CropDataset(Plain(source), size, seed, augment=augment)
    assert torch.equal(one_by_one.batch(keys).pixels, batch.pixels)
    for n, key in enumerate(keys):
        sample = one_by_one[key]
        assert torch.equal(sample.pixels, batch.pixels[n])
        assert (sample.label, sample.problem) == (int(batch.labels[n]), None)


def test_every_place_and_both_sides_come_up() -> None:
    source = memory(1, 4, 5)
    dataset = CropDataset(source, 3, augment=Augment(flip=True))
    seen = {dataset[epoch, 0].pixels.numpy().tobytes() for epoch in range(300)}
    assert len(seen) == 2 * 3 * 2


def test_random_numbers_are_uniform_and_independent() -> None:
    index = np.arange(20_000)
    draws = random_numbers(0, np.zeros_like(index), index, 3)
    assert draws.min() >= 0
    assert draws.max() < 1
    stderr = (1 / 12 / len(index)) ** 0.5
    assert (abs(draws.mean(0) - 0.5) < 4 * stderr).all()
    others = [random_numbers(1, 0 * index, index, 1), random_numbers(0, 0 * index + 1, index, 1)]
    columns = np.hstack([draws, *others])
    correlation = np.corrcoef(columns.T) - np.eye(5)
    assert abs(correlation).max() < 4 / len(index) ** 0.5


def test_photos_are_scaled_by_their_short_side(tmp_path: Path) -> None:
    picture(0, width=40, height=30).save(tmp_path / "a.png")
    picture(1, width=5, height=8).save(tmp_path / "b.png")
    source = open_images(tmp_path)
    plain = CropDataset(source, 10)
    np.testing.assert_array_equal(plain[0, 0].pixels, source.read(0)[:, 10:20, 15:25])
    image = picture(1, width=5, height=8)
    enlarged = image.resize((10, 16), Image.Resampling.LANCZOS).crop((0, 3, 10, 13))
    np.testing.assert_array_equal(plain[0, 1].pixels.permute(1, 2, 0), np.asarray(enlarged))
    scaled = CropDataset(source, 10, resize=12)[0, 0].pixels.permute(1, 2, 0)
    image = picture(0, width=40, height=30).resize((16, 12), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(scaled, np.asarray(image.crop((3, 1, 13, 11))))
    small = CropDataset(memory(2, 4, 4), 10)
    assert small.batch([(0, 0), (0, 1)]).pixels.shape == (2, 3, 10, 10)


def test_what_cannot_be_read_is_replaced_and_named(folder: Path) -> None:
    for name, data in BAD.items():
        (folder / name).write_bytes(data)
    source = open_images(folder, labelled=True)
    assert source.labels is not None
    dataset = CropDataset(source, 4, augment=Augment(flip=True))
    names = source.names
    for epoch in range(2):
        batch = dataset.batch([(epoch, i) for i in range(len(source))])
        assert [problem.split(": ")[0] for problem in batch.problems] == [
            str(folder / name) for name in names if name in BAD
        ]
    stands_in = {
        "été/broken.jpg": "猫/below/c.png",
        "猫/empty.png": "猫/one.png",
        "猫/text.jpg": "été/a.png",
    }
    assert batch.labels is not None
    for bad, good in stands_in.items():
        at, by = names.index(bad), names.index(good)
        assert int(batch.labels[at]) == source.labels[by]
    sample = dataset[0, names.index("猫/text.jpg")]
    assert sample.problem is not None
    assert "not an image that Pillow can read" in sample.problem


def test_a_source_of_nothing_readable_is_an_error(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}.jpg").write_bytes(b"no image")
    source = open_images(tmp_path)
    with pytest.raises(PhotoError, match=r"none of 3 images can be read; the first: .*1\.jpg"):
        CropDataset(source, 4)[0, 1]
    with pytest.raises(PhotoError, match=r"none of 3 images can be read; the first: .*0\.jpg"):
        read_squares(source, 4)


@pytest.mark.parametrize("workers", [0, 2])
def test_loading_in_processes_gives_the_same_bits(folder: Path, workers: int) -> None:
    (folder / "bad.png").write_bytes(b"")
    dataset = CropDataset(open_images(folder), 4, seed=3, augment=Augment(flip=True, pad=1))
    keys = list(islice(EpochBatches(len(dataset), 4, seed=3), 6))
    loader = DataLoader(
        dataset, batch_sampler=keys, num_workers=workers, collate_fn=lambda batch: batch
    )
    problems = set()
    for batch, expected in zip(loader, map(dataset.batch, keys), strict=True):
        assert isinstance(batch, Batch)
        assert torch.equal(batch.pixels, expected.pixels)
        assert batch.labels is None
        problems.update(batch.problems)
    assert len(problems) == 1


def test_crops_are_checked() -> None:
    source = memory(2, 4, 4)
    with pytest.raises(ValueError, match="`resize` no smaller, got 4 and 3"):
        CropDataset(source, 4, resize=3)
    with pytest.raises(ValueError, match="`pad` must not be negative"):
        Augment(pad=-1)
    with pytest.raises(ValueError, match="`seed` must not be negative"):
        CropDataset(source, 4, seed=-1)
    with pytest.raises(IndexError, match=r"from 0 to 1, got \[2\]"):
        CropDataset(source, 4)[0, 2]


# --- order --------------------------------------------------------------------------------------


@given(
    st.integers(1, 13), st.integers(1, 4), st.integers(1, 4), st.integers(0, 9), st.integers(0, 2)
)
def test_ranks_share_the_batches_of_one_process(
    length: int, share: int, processes: int, start: int, seed: int
) -> None:
    size = share * processes
    alone = list(islice(EpochBatches(length, size, seed), start + 5))
    ranks = [
        list(islice(EpochBatches(length, size, seed, start=start, rank=r, processes=processes), 5))
        for r in range(processes)
    ]
    together = [[key for part in parts for key in part] for parts in zip(*ranks, strict=True)]
    assert together == alone[start:]
    stream = [key for batch in alone for key in batch]
    for epoch in range(len(stream) // length):
        of_epoch = stream[epoch * length : (epoch + 1) * length]
        assert {e for e, _ in of_epoch} == {epoch}
        assert sorted(i for _, i in of_epoch) == list(range(length))


def test_permutations_differ_and_are_uniform() -> None:
    assert not np.array_equal(permutation(50, 0, 0), permutation(50, 0, 1))
    assert not np.array_equal(permutation(50, 0, 0), permutation(50, 1, 0))
    counts = np.zeros((4, 4))
    for epoch in range(4000):
        counts[np.arange(4), permutation(4, 7, epoch)] += 1
    assert abs(counts - 1000).max() < 4 * (4000 * 3 / 16) ** 0.5


def test_batches_are_checked() -> None:
    with pytest.raises(ValueError, match="multiple of the number of processes"):
        EpochBatches(10, 5, processes=2)
    with pytest.raises(ValueError, match="ranks count from 0"):
        EpochBatches(10, 4, rank=2, processes=2)
    with pytest.raises(ValueError, match="`length` and `batch_size` must be positive"):
        EpochBatches(0, 4)


# --- in memory ----------------------------------------------------------------------------------


def test_read_squares(folder: Path, tmp_path: Path) -> None:
    (folder / "猫" / "broken.png").write_bytes(FILES["été/a.png"][:60])
    source = open_images(folder, labelled=True)
    decoded = read_squares(source, 5, threads=2)
    assert decoded.names == [name for name in source.names if "broken" not in name]
    assert source.labels is not None
    assert decoded.labels is not None
    assert decoded.labels.tolist() == [0, 0, 1, 1, 1]
    assert decoded.classes == source.classes
    assert decoded.fingerprint == source.fingerprint
    assert len(decoded.problems) == 1
    assert read_squares(source, 5, limit=2).names == decoded.names[:2]
    square = ImageOps.fit(
        Image.open(folder / "été" / "a.png").convert("RGB"), (5, 5), Image.Resampling.LANCZOS
    )
    np.testing.assert_array_equal(decoded.read(0).permute(1, 2, 0), np.asarray(square))


def test_read_squares_keeps_a_file(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "été" / "0.png").write_bytes(b"")
    source = open_images(folder, labelled=True)
    cache = tmp_path / "cache"
    first = read_squares(source, 5, folder=cache)
    (file,) = cache.iterdir()
    assert file.name == f"{source.fingerprint[:16]}-5-6.safetensors"
    for path in folder.rglob("*.png"):
        path.write_bytes(b"x" * path.stat().st_size)  # the fingerprint can't tell
    again = read_squares(open_images(folder, labelled=True), 5, folder=cache)
    assert torch.equal(again.pixels, first.pixels)
    assert (again.names, again.problems) == (first.names, first.problems)
    assert not caplog.records
    damage: list[Callable[[bytes], bytes]] = [
        lambda data: data[:-3],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"",
    ]
    whole = file.read_bytes()
    for change in damage:
        file.write_bytes(change(whole))
        caplog.clear()
        assert len(read_squares(source, 5, folder=cache)) == 1  # what is left to decode
        assert "is damaged" in caplog.text
    assert file.read_bytes() != whole


# --- Hugging Face -------------------------------------------------------------------------------


def test_a_hugging_face_dataset(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    features = datasets.Features(
        {"label": datasets.ClassLabel(names=["cat", "dog"]), "picture": datasets.Image()}
    )
    rows = datasets.Dataset.from_dict(
        {
            "label": [1, 0, 1],
            "picture": [
                {"bytes": data, "path": None}
                for data in (encoded(0), b"no image", encoded(2, mode="L"))
            ],
        },
        features=features,
    )
    (tmp_path / "set").mkdir()
    rows.to_parquet(str(tmp_path / "set" / "train.parquet"))
    name = f"hf:{tmp_path / 'set'}"
    source = open_images(name, labelled=True)
    assert len(source) == 3
    assert source.classes == ("cat", "dog")
    assert source.labels is not None
    assert source.labels.tolist() == [1, 0, 1]
    expected = np.asarray(picture(0))
    for copy in (source, pickle.loads(pickle.dumps(source))):
        np.testing.assert_array_equal(copy.read(0).permute(1, 2, 0), expected)
    assert open_images(f"{name}:train").fingerprint == source.fingerprint
    with pytest.raises(PhotoError, match=r"train\[1\]|set\[1\]: not an image"):
        source.read(1)
    with pytest.raises(PhotoError, match=r"set:test: cannot be loaded"):
        open_images(f"{name}:test")
    rows.remove_columns("label").to_parquet(str(tmp_path / "set" / "train.parquet"))
    with pytest.raises(PhotoError, match=r"none of its columns is a ClassLabel: picture"):
        open_images(name, labelled=True)


def test_hugging_face_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(PhotoError, match=r"hf:a/b: .* install preimage\[hf\]"):
        open_images("hf:a/b")
