"""Sources of photos: folders, zips, tars, patterns, Hugging Face; classes and damage."""

import io
import os
import pickle
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from photo_files import FILES, encoded, make_tar, make_zip, picture
from PIL import Image

from preimage.data import sources
from preimage.data.archives import Entry, OnError, PhotoError, expand
from preimage.data.sources import ImageSource, open_images


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


def test_an_archive_is_listed_once_until_it_is_written_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[str] = []

    def counting(source: str, on_error: OnError | None = None) -> Iterator[Entry]:
        listed.append(source)
        return expand(source, on_error)

    monkeypatch.setattr(sources, "expand", counting)
    archive = make_zip(tmp_path / "a.zip", FILES)
    part = f"{archive}/{min(FILES).partition('/')[0]}"
    for name in (str(archive), part):
        assert open_images(name) is open_images(name)
    open_images(str(archive), labelled=True)
    assert listed == [str(archive), part, str(archive)]
    kept = dict(list(FILES.items())[1:])
    make_zip(archive, kept)
    assert open_images(str(archive)).names == sorted(kept)
    # A folder does not tell what was added below it.
    assert open_images(folder) is not open_images(folder)
    # The same words from another place.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    make_zip(elsewhere / "a.zip", dict(list(FILES.items())[:2]))
    for place, count in ((tmp_path, len(kept)), (elsewhere, 2)):
        monkeypatch.chdir(place)
        assert len(open_images("a.zip")) == count


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


@pytest.mark.parametrize("number", ["4000000000", "100000", "9" * 900])
def test_a_class_number_beyond_all_data_sets(tmp_path: Path, number: str) -> None:
    path = make_tar(tmp_path / "a.tar", {"x.png": encoded(), "x.cls": number.encode()})
    with pytest.raises(PhotoError, match=r"x\.png: its class number is \d+, and must be below"):
        open_images(path, labelled=True)


def test_an_empty_name_is_not_the_working_directory() -> None:
    with pytest.raises(PhotoError, match="a photo's name is empty; name a file or a folder"):
        open_images("")
