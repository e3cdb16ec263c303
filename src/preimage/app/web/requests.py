"""A page's address → the options of the library, checked against their own hints and ranges."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from types import NoneType
from typing import Any, get_args, get_type_hints
from urllib.parse import urlencode

from preimage.app.web.settings import START_PHOTO
from preimage.network.ranges import check
from preimage.network.spec import DeviceName, ReconstructConfig

#: The options that an address may give: all but the device, which is the server's own.
OPTIONS = tuple(field.name for field in fields(ReconstructConfig) if field.name != "device")
_HINTS = get_type_hints(ReconstructConfig)
_CHECKED = get_type_hints(ReconstructConfig, include_extras=True)


@dataclass(frozen=True)
class Asked:
    """What an address asks for.

    Args:
        photo: the id of a photo.
        config: the random network, and the side of the photo.
        decoder: the id of a decoder file in place of the random network; empty for none.
    """

    photo: str
    config: ReconstructConfig
    decoder: str = ""

    def query(self) -> str:
        """The shortest address that asks for the same."""
        default = ReconstructConfig()
        values = {name: getattr(self.config, name) for name in OPTIONS}
        given = {k: v for k, v in values.items() if v != getattr(default, k)}
        decoder = {"decoder": self.decoder} if self.decoder else {}
        words = {k: _word(v) for k, v in {"photo": self.photo, **decoder, **given}.items()}
        return urlencode(words)


def read_query(pairs: Iterable[tuple[str, str]], device: DeviceName = "auto") -> Asked:
    """What the pairs of a query string ask for; options that are not given have their defaults.

    Raises:
        ValueError: naming the option in backticks, what was expected and what came.
    """
    given: dict[str, str] = {}
    for name, word in pairs:
        if name in given:
            raise ValueError(f"`{name}` is given twice.")
        given[name] = word
    photo, decoder = given.pop("photo", START_PHOTO), given.pop("decoder", "")
    if unknown := sorted(given.keys() - set(OPTIONS)):
        known = ", ".join(("photo", "decoder", *OPTIONS))
        raise ValueError(f"there is no option {unknown[0]!r:.40}; there are {known}.")
    values: dict[str, Any] = {name: _value(name, word) for name, word in given.items()}
    for name, value in values.items():
        check(name, value, _CHECKED[name])  # as the option set does, but before it is made
    config = ReconstructConfig(**values, device=device)
    if config.size == 0:
        raise ValueError("`size` must be a side in pixels here, got 0.")
    return Asked(photo, config, decoder)


def _value(name: str, word: str) -> Any:
    """The word as the option's type."""
    kinds = get_args(_HINTS[name]) or (_HINTS[name],)
    if word == "" and NoneType in kinds:
        return None
    try:
        if int in kinds:
            return int(word)
        if float in kinds:
            return float(word)
    except ValueError:
        raise ValueError(f"`{name}` must be a number, got {word!r:.40}.") from None
    if bool in kinds:
        if word not in ("true", "false"):
            raise ValueError(f"`{name}` must be true or false, got {word!r:.40}.")
        return word == "true"
    return word


def _word(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
