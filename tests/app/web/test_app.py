"""What the routes answer, and that it is what the library computes."""

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from photo_files import encoded
from PIL import Image
from starlette.testclient import TestClient
from unchecked import unchecked

from preimage import ReconstructConfig, embedded_photos, grey_scores, reconstruct
from preimage.data.photo import clipped_image, to_image
from preimage.theory import limit

SMALL = "layer=conv1&width=3&size=31"
MEAN = f"{SMALL}&pool=avg&pooled=true&head=mean&unpool=nearest"


def pixels(source: bytes | str) -> Any:
    data = source if isinstance(source, bytes) else base64.b64decode(source.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)))


def test_a_picture_is_the_librarys(client: TestClient) -> None:
    answer = client.get(f"/api/picture?photo=coffee&{SMALL}&seed=5").json()
    [result] = reconstruct(embedded_photos(31)[2], layer="conv1", width=3, size=31, seed=5)
    assert (pixels(answer["grey"]) == np.asarray(to_image(result.grey[None]))).all()
    assert (pixels(answer["colour"]) == np.asarray(to_image(result.colour))).all()
    assert answer["scores"]["SSIM"] == f"{result.ssim:.3f}"
    assert answer["query"] == "photo=coffee&layer=conv1&width=3&seed=5&size=31"
    assert [box["shape"] for box in answer["network"]["boxes"]][:2] == [[3, 31, 31]] * 2
    again = client.get(f"/picture.png?{answer['query']}")
    assert again.headers["content-type"] == "image/png"
    assert (pixels(again.content) == pixels(answer["grey"])).all()
    raw = client.get(f"/picture.png?{answer['query']}&raw=true").content
    assert (pixels(raw) == pixels(answer["colour"])).all()


def test_a_record_is_the_librarys(client: TestClient) -> None:
    response = client.get(f"/record.json?photo=rocket&{MEAN}")
    record = response.json()
    [result] = reconstruct(
        embedded_photos(31)[3],
        ReconstructConfig(
            layer="conv1", width=3, size=31, pool="avg", pooled=True, head="mean", unpool="nearest"
        ),
    )
    assert {key: record[key] for key in result.record()} == json.loads(json.dumps(result.record()))
    assert record["run"]["config"]["head"] == "mean"
    assert response.headers["content-disposition"].startswith("attachment")


def test_a_limit_is_the_librarys(client: TestClient) -> None:
    answer = client.get(f"/api/limit?photo=chelsea&{MEAN}").json()
    config = ReconstructConfig(
        layer="conv1", width=3, size=31, pool="avg", pooled=True, head="mean", unpool="nearest"
    )
    image = embedded_photos(31)[1].pixels[None]
    f_star = limit(config.network().with_normalisation(), image, config.weights)
    scores = grey_scores(image, f_star.float())
    assert answer["scores"]["SSIM"] == f"{float(scores.ssim):.3f}"
    assert (pixels(answer["limit"]) == np.asarray(to_image(scores.picture))).all()
    assert pixels(answer["difference"]).shape == (31, 31, 3)
    assert answer["sampled"] is None


def test_a_sampled_limit_says_so(client: TestClient) -> None:
    answer = client.get(f"/api/limit?{MEAN.replace('avg', 'max')}").json()
    assert 0 < answer["sampled"] < 0.1


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (SMALL, "channel mean"),
        (f"{MEAN}&slope=1", "no activation"),
        ("layer=conv3&pooled=true&head=mean&unpool=nearest&width=4&size=227", "too long"),
        ("layer=conv4&pooled=true&pool=avg&unpool=bilinear&head=mean&width=1&size=227", "too long"),
    ],
)
def test_where_there_is_no_limit_the_reason_is_said(
    client: TestClient, query: str, reason: str
) -> None:
    response = client.get(f"/api/limit?{query}")
    assert response.status_code == 200
    assert reason in response.json()["none"]


def test_wrong_input_gets_a_line_that_names_the_control(client: TestClient) -> None:
    with unchecked():
        for query, words in (
            ("width=0", "Width must be an integer from 1 on"),
            ("width=x", "Width must be a number"),
            ("layer=conv9", "conv9"),
            ("pooled=maybe", "true or false"),
            ("pool=median", "Pooling must be one of max, avg, l2"),
            ("weights=cauchy:1", "gaussian"),
            ("weights=/etc/passwd", "must be a law"),
            ("device=cuda", "no option"),
            ("seed=1&seed=2", "given twice"),
            ("size=0", "Size must be"),
            ("layer=conv5&size=8", "at least"),
            ("size=9999", "multiply-adds"),
            ("size=3000&width=1&layer=conv1", "GB"),
            ("layer=conv1&width=100000&size=11", "multiply-adds"),
            ("photo=../../etc/passwd", "Photo is not here"),
            ("decoder=nowhere", "Decoder is not here"),
        ):
            response = client.get(f"/api/picture?{query}")
            assert response.status_code == 422, query
            assert words in response.json()["error"], (query, response.json())


def test_a_dropped_photo_is_used_and_has_no_path(client: TestClient) -> None:
    data = encoded(3, width=41, height=37)
    response = client.post("/api/photos?name=../../etc/cat.png", content=data)
    assert response.status_code == 201
    id, name = response.json()["id"], response.json()["name"]
    assert name == "cat.png"
    shown = pixels(client.get(f"/photo.png?photo={id}&size=31").content)
    [expected] = reconstruct(Image.open(io.BytesIO(data)), layer="conv1", width=3, size=31)
    assert (shown == np.asarray(clipped_image(expected.photo.pixels))).all()
    answer = client.get(f"/api/picture?photo={id}&{SMALL}").json()
    assert (pixels(answer["grey"]) == np.asarray(to_image(expected.grey[None]))).all()
    assert "'cat.png'" in answer["python"]


def test_the_page_and_its_files(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for name in ("main.js", "page.css", "style.css", "icon.svg"):
        file = client.get(f"/static/{name}")
        assert file.status_code == 200
        again = client.get(f"/static/{name}", headers={"if-none-match": file.headers["etag"]})
        assert again.status_code == 304
    assert client.get("/static/main.js").headers["content-type"].startswith("text/javascript")
    for path in ("/static/app.py", "/static/..%2Fapp.py", "/static/%2Fetc%2Fpasswd", "/nowhere"):
        assert client.get(path).status_code == 404, path
    assert client.delete("/").status_code == 405
    assert client.get("/health").json()["status"] == "ok"
