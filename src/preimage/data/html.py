"""What HTML pages share: one file each, pictures inside, nothing fetched."""

import base64
import io

import jinja2
from PIL import Image


def template(package: str, name: str) -> jinja2.Template:
    """A template of a package's folder `templates`; it may extend the `report.html` of ours."""
    loaders = [jinja2.PackageLoader(each) for each in (package, "preimage.data")]
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template(name)


def data_uri(data: bytes, kind: str) -> str:
    """A picture file as an address that contains it; `kind` such as `png` or `svg+xml`."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def picture_uri(image: Image.Image, quality: int = 88) -> str:
    """A picture as an address that contains it, WebP."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality)
    return data_uri(buffer.getvalue(), "webp")
