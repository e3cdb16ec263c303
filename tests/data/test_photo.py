import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from preimage.data.photo import Photo, PhotoError, embedded_photos, fingerprint, to_image
from preimage.data.photos import load_photos


@pytest.fixture
def picture() -> Image.Image:
    """A small photo, wider than high, smooth enough for JPEG to keep."""
    return Image.fromarray(embedded_photos(48)[1].pixels.byte().permute(1, 2, 0).numpy()).crop(
        (0, 6, 48, 41)
    )


def one(path: Path, size: int | None = None) -> np.ndarray:
    (photo,) = load_photos(path, size)
    assert photo.pixels.dtype == torch.float32
    return photo.pixels.permute(1, 2, 0).numpy()


def test_lossless_formats_are_exact(picture: Image.Image, tmp_path: Path) -> None:
    expected = np.asarray(picture, np.float32)
    for name, options in (
        ("a.png", {}),
        ("a.bmp", {}),
        ("a.webp", {"lossless": True}),
        ("a.tif", {}),
    ):
        picture.save(tmp_path / name, **options)
        np.testing.assert_array_equal(one(tmp_path / name), expected)


def test_jpegs_of_all_kinds(picture: Image.Image, tmp_path: Path) -> None:
    expected = np.asarray(picture, np.float32)
    picture.save(tmp_path / "a.jpg", quality=95)
    picture.save(tmp_path / "progressive.jpg", quality=95, progressive=True)
    picture.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    for file in tmp_path.glob("*.jpg"):
        assert abs(one(file) - expected).mean() < 4, file.name
    picture.convert("L").save(tmp_path / "grey.jpg", quality=95)
    pixels = one(tmp_path / "grey.jpg")
    assert (pixels[..., 0] == pixels[..., 2]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_undone(picture: Image.Image, tmp_path: Path, orientation: int) -> None:
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = picture.transpose(turn[orientation]) if orientation > 1 else picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(one(tmp_path / "a.png"), np.asarray(picture, np.float32))


def test_pngs_of_all_modes(picture: Image.Image, tmp_path: Path) -> None:
    grey = picture.convert("L")
    levels = np.asarray(grey, np.float32)
    picture.quantize(200).save(tmp_path / "palette.png")
    assert abs(one(tmp_path / "palette.png") - np.asarray(picture)).mean() < 6
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(one(tmp_path / "deep.png")[..., 1], levels)
    grey.convert("1").save(tmp_path / "bits.png")
    assert set(np.unique(one(tmp_path / "bits.png"))) <= {0, 255}
    alpha = Image.new("L", picture.size, 0)
    alpha.paste(255, (0, 0, 20, 35))
    for mode in ("RGBA", "LA"):
        layered = picture.convert(mode)
        layered.putalpha(alpha)
        layered.save(tmp_path / f"{mode}.png")
        pixels = one(tmp_path / f"{mode}.png")
        assert (pixels[:, 20:] == 255).all()  # transparent: the white behind
        assert not (pixels[:, :20] == 255).all()


def test_centre_square_by_lanczos(picture: Image.Image, tmp_path: Path) -> None:
    picture.save(tmp_path / "a.png")
    expected = picture.crop((6.5, 0, 41.5, 35)).resize((20, 20), Image.Resampling.LANCZOS)  # type: ignore[arg-type]
    got = one(tmp_path / "a.png", 20)
    assert got.shape == (20, 20, 3)
    # The centre of 48 columns is half a pixel off: a whole-pixel crop comes close, not equal.
    assert abs(got - np.asarray(expected, np.float32)).mean() < 5
    exact = picture.resize((20, 20), Image.Resampling.LANCZOS, box=(6.5, 0, 41.5, 35))
    np.testing.assert_array_equal(got, np.asarray(exact, np.float32))


def test_folders_zips_and_globs(picture: Image.Image, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / "below"
    folder.mkdir(parents=True)
    for name in ("b.png", "a.png"):
        picture.save(folder / name)
    picture.save(tmp_path / "photos" / "a.jpg")
    (folder / "notes.txt").write_text("not a photo, and not asked for")
    (folder / "._a.png").write_bytes(b"what some systems leave beside files")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for file in sorted((tmp_path / "photos").rglob("*")):
            archive.write(file, file.relative_to(tmp_path))
    by_folder = [photo.name for photo in load_photos(tmp_path / "photos")]
    assert by_folder == ["a", "a-2", "b"]
    assert [photo.name for photo in load_photos(tmp_path / "photos.zip")] == by_folder
    assert [photo.name for photo in load_photos(str(tmp_path / "**" / "?.png"))] == ["a", "b"]
    both = list(load_photos([folder / "a.png", folder / "a.png"], None))
    assert [photo.name for photo in both] == ["a", "a-2"]
    assert both[0].sha256 == both[1].sha256


def bomb() -> bytes:
    """A PNG of a few hundred bytes that claims 60,000 × 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def test_bad_files_get_one_line_each_and_the_others_go_on(
    picture: Image.Image, tmp_path: Path
) -> None:
    stream = io.BytesIO()
    picture.save(stream, "JPEG")
    (png, gif), archive = (io.BytesIO(), io.BytesIO()), io.BytesIO()
    picture.save(png, "PNG")
    picture.save(gif, "GIF")
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a.png", png.getvalue())
    files = {
        "empty.png": b"",
        "text.jpg": b"this is no image\n",
        "truncated.jpg": stream.getvalue()[:-200],
        "last_byte.png": png.getvalue()[:-1],
        "last_byte.gif": gif.getvalue()[:-1],
        "truncated.zip": archive.getvalue()[:-30],
        "bomb.png": bomb(),
        "no_photos.zip": b"PK\x05\x06" + 18 * b"\0",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    picture.save(tmp_path / "good.png")
    (tmp_path / "folder.jpg").mkdir()
    errors: list[PhotoError] = []
    names = [*files, "missing.png", "none*.png", "folder.jpg", "good.png"]
    photos = list(load_photos([str(tmp_path / name) for name in names], None, errors.append))
    assert [photo.name for photo in photos] == ["good"]
    expected = {
        "empty.png": "the file is empty",
        "text.jpg": "not an image that Pillow can read",
        "truncated.jpg": "can't be read.*truncated",
        "last_byte.png": "can't be read.*truncated",
        "last_byte.gif": "can't be read.*truncated",
        "truncated.zip": "not a whole zip",
        "bomb.png": "too many pixels.*shrink the picture first",
        "no_photos.zip": "no photo in this zip",
        "missing.png": "no such file or folder",
        "none*.png": "no file matches",
        "folder.jpg": "no photo in this folder",
    }
    assert len(errors) == len(expected)
    for error, (name, words) in zip(errors, expected.items(), strict=True):
        assert name in str(error)
        assert "\n" not in str(error)
        with pytest.raises(PhotoError, match=words):
            raise error


def test_pictures_of_hidden_photos_are_not_hidden(picture: Image.Image, tmp_path: Path) -> None:
    for name in (".x.png", "x.png", "....png"):
        picture.save(tmp_path / name, "PNG")
    photos = load_photos([str(tmp_path / name) for name in (".x.png", "x.png", "....png")], None)
    assert [photo.name for photo in photos] == ["x", "x-2", "photo"]


def test_a_damaged_member_of_a_zip(picture: Image.Image, tmp_path: Path) -> None:
    picture.save(tmp_path / "a.png")
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "a.png", "a.png")
        archive.write(tmp_path / "a.png", "b.png")
    data = bytearray(path.read_bytes())
    data[data.index(b"a.png") + 60] ^= 0xFF  # inside the first member: its checksum fails
    path.write_bytes(data)
    errors: list[PhotoError] = []
    assert [photo.name for photo in load_photos(path, None, errors.append)] == ["b"]
    assert "photos.zip/a.png" in str(errors[0])


def test_float_pixels_have_no_range(tmp_path: Path) -> None:
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(PhotoError, match="floating-point pixels"):
        one(tmp_path / "a.tif")


def test_embedded_photos_are_colour_photos_of_the_papers_size() -> None:
    photos = embedded_photos()
    assert [photo.name for photo in photos] == ["astronaut", "chelsea", "coffee", "rocket"]
    for photo in photos:
        assert photo.pixels.shape == (3, 227, 227)
        assert 0 <= photo.pixels.min() < 30
        assert 200 < photo.pixels.max() <= 255
        assert (photo.pixels[0] != photo.pixels[2]).any()


def test_fingerprint_knows_pixels_and_order() -> None:
    one_photo = Photo("a", "here", torch.zeros(3, 2, 6))
    hashes = [
        one_photo.sha256,
        Photo("a", "here", torch.zeros(3, 6, 2)).sha256,
        Photo("a", "here", torch.ones(3, 2, 6)).sha256,
    ]
    assert len(set(hashes)) == 3
    assert Photo("b", "there", one_photo.pixels).sha256 == one_photo.sha256
    assert fingerprint(hashes) != fingerprint(hashes[::-1])


def test_to_image_stretches(generator: torch.Generator) -> None:
    pixels = torch.rand(3, 5, 7, generator=generator) * 9 - 4
    array = np.asarray(to_image(pixels))
    assert array.shape == (5, 7, 3)
    assert (array.min(), array.max()) == (0, 255)
    assert np.asarray(to_image(torch.full((1, 5, 7), 2.0))).shape == (5, 7)
