"""A layer of any module as an encoder: what `fit`, `train`, `evaluate` and checkpoints take."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from preimage.data.checkpoints import digest
from preimage.network.description import Description
from preimage.network.encoder import Origin
from preimage.network.layer_mirror import mirror_of_layer
from preimage.network.operations import UnpoolKind
from preimage.network.ranges import Channels, Range, Side
from preimage.network.schema import read_as
from preimage.network.trace import Alignment, Size
from preimage.probing.capture import LayerError, capture, undisturbed
from preimage.probing.features import Kind, Layout, layout_of
from preimage.probing.given_model import given_model
from preimage.probing.preprocessing import Preprocessing
from preimage.probing.targets import find_targets

Pixels = Float[Tensor, "N 3 H W"]
Maps = Float[Tensor, "N C h w"]


@dataclass(frozen=True)
class LayerForm:
    """A layer of a module and the form of its features, whatever the photo's size.

    Args:
        layer: its `named_modules()` path.
        kind: of its output, which is read as maps.
        channels: of the maps.
        alignment: of the maps on the photo.
        how: `measured`, or `grid` where each position sees the whole photo.
    """

    layer: str
    kind: Kind
    channels: int
    alignment: Alignment
    how: str


@dataclass(frozen=True)
class _LayerCard:
    layer: str
    kind: Kind
    channels: Channels
    alignment: tuple[Side, Annotated[int, Range(-16384, 16384)]]
    how: str
    preprocessing: dict[str, Any]


class LayerEncoder(nn.Module):
    """A layer of a module, from pixels in [0, 255] to maps (N, C, h, w): an `Encoder`.

    The module is used as it is and left as it was: its modes come back after each call, its hooks
    are removed. Only what lies before the layer is computed. `layer_encoder` makes one.

    Args:
        model: takes (N, 3, H, W).
        preprocessing: what the model wants its pixels to be.
        name: of the model, for titles and messages.
        origin: where its weights come from.
    """

    def __init__(
        self,
        model: nn.Module,
        form: LayerForm,
        preprocessing: Preprocessing,
        name: str,
        origin: Origin,
    ) -> None:
        super().__init__()
        self.model, self.form, self.preprocessing = model, form, preprocessing
        self.model_name, self.origin = name, origin
        self._layouts: dict[Size, Layout] = {}

    def train(self, mode: bool = True) -> "LayerEncoder":
        """Changes nothing: the model runs in eval mode and keeps its own."""
        return self

    def forward(self, pixels: Pixels) -> Maps:
        """Features of photos in [0, 255].

        Raises:
            ValueError: the model takes no photos of this size.
        """
        layout = self._layout((pixels.shape[2], pixels.shape[3]))
        return layout.read(self._output(pixels))

    @property
    def name(self) -> str:
        """The model's and the layer's."""
        return f"{self.model_name} {self.form.layer}"

    @property
    def out_channels(self) -> int:
        """Channels of the maps."""
        return self.form.channels

    @property
    def alignment(self) -> Alignment:
        """The block of pixels that each position lies on."""
        return self.form.alignment

    def feature_size(self, size: Size) -> Size:
        """(height, width) of the maps, from one photo of this size.

        Raises:
            ValueError: the model takes no photos of this size.
        """
        grid = self._layout(size).grid
        assert grid is not None
        return grid

    def input_sizes(self, size: Size) -> dict[str, Size]:
        """The photo's: all that `mirror` asks for. Raises as `feature_size`."""
        self._layout(size)
        return {"data": size}

    def mirror(self, unpool: UnpoolKind = "zeros") -> Description:
        """`mirror_of_layer` of its channels and positions."""
        return mirror_of_layer(self.out_channels, self.alignment, unpool)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` reads back."""
        preprocessing = asdict(self.preprocessing)
        del preprocessing["source"]
        form = asdict(self.form) | {"alignment": list(self.alignment)}
        return {**form, "preprocessing": preprocessing}

    @classmethod
    def from_dict(
        cls, model: nn.Module, data: dict[str, Any], name: str, origin: Origin
    ) -> "LayerEncoder":
        """The layer that `to_dict` described, of this model.

        Raises:
            ValueError: a value is missing, or not what it must be.
        """
        card = read_as(_LayerCard, data, "layer")
        pixels = {**card.preprocessing, "source": "given"}
        preprocessing = read_as(Preprocessing, pixels, "layer.preprocessing")
        if not {len(preprocessing.mean), len(preprocessing.std)} <= {1, 3}:
            raise ValueError("layer.preprocessing must have a mean and a std per channel.")
        alignment = Alignment(*card.alignment)
        form = LayerForm(card.layer, card.kind, card.channels, alignment, card.how)
        return cls(model, form, preprocessing, name, origin)

    def _output(self, pixels: Pixels) -> Tensor:
        with undisturbed(self.model):
            inputs = self.preprocessing(pixels)
            return capture(self.model, [self.form.layer], inputs, stop=True)[self.form.layer]

    @torch.no_grad()
    def _layout(self, size: Size) -> Layout:
        """How the layer's output is read for photos of this size."""
        if size not in self._layouts:
            self._layouts[size] = self._read_layout(size)
        return self._layouts[size]

    def _read_layout(self, size: Size) -> Layout:
        stated = f"{self.name} takes no photos of {size[0]}×{size[1]} pixels"
        first = next(self.model.parameters(), torch.empty(0))
        try:
            output = self._output(torch.full((1, 3, *size), 127.0, device=first.device))
        except Exception as error:  # models refuse a size in ways of their own
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            usual = self.preprocessing.size
            raise ValueError(f"{stated} ({reason}); its own size is {usual}×{usual}.") from None
        layout = layout_of(self.form.layer, tuple(output.shape[1:]), size, self.model)
        form, stride = self.form, self.form.alignment.stride
        if layout.grid is None or (layout.kind, layout.channels) != (form.kind, form.channels):
            raise ValueError(
                f"{stated} as {form.channels} channels of {form.kind}: it is {layout}."
            )
        if form.how == "grid" and any(
            abs(count * stride - length) >= stride
            for count, length in zip(layout.grid, size, strict=True)
        ):
            raise ValueError(f"{stated}: its positions do not lie {stride} pixels apart.")
        return layout


def layer_encoder(
    model: nn.Module,
    layer: str,
    preprocessing: Preprocessing | None = None,
    *,
    name: str | None = None,
    origin: Origin | None = None,
) -> LayerEncoder:
    """A layer of a module as an encoder; where its positions lie is measured on the model.

        >>> import torch
        >>> from preimage import fit_least_squares
        >>> from preimage.probing import RAW, layer_encoder
        >>> model = torch.nn.Sequential(torch.nn.Conv2d(3, 48, 4, stride=4), torch.nn.ReLU())
        >>> encoder = layer_encoder(model, "0", RAW)
        >>> photos = 255 * torch.rand(9, 3, 32, 44, generator=torch.Generator().manual_seed(0))
        >>> decoder = fit_least_squares(encoder, [photos], window=1)
        >>> tuple(encoder.alignment), tuple(decoder(encoder(photos), (32, 44)).shape)
        ((4, 0), (9, 3, 32, 44))

    Args:
        model: takes (N, 3, H, W). A `Network` has its operations as layers.
        layer: a `named_modules()` path; it gives maps or tokens.
        preprocessing: size, mean and standard deviation; read from the model if it has a timm
            configuration.
        name: of the model; its class's, or its description's, if not given.
        origin: where its weights come from, as plain data; their SHA-256 is added.

    Raises:
        LayerError: no such layer, or it gives vectors, which `preimage.probe` decodes.
        ValueError: an unknown preprocessing.
    """
    given, preprocessing = given_model(model, preprocessing)
    model, name = given.model, name or given.name
    side = preprocessing.size
    noise = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    first = next(model.parameters(), torch.empty(0))
    targets = find_targets(model, [layer], preprocessing, 255 * noise.to(first.device))
    if len(targets) > 1:
        raise LayerError(f"`layer`: {layer} names {len(targets)} modules; name one of them.")
    (target,) = targets
    if target.placement is None:
        raise LayerError(
            f"layer {target.name} gives vectors, whose place on the photo nothing tells; "
            "preimage.probe decodes them."
        )
    where, layout = target.placement, target.layout
    form = LayerForm(target.name, layout.kind, layout.channels, where.alignment, where.how)
    known = {"model": name, "layer": target.name, **(origin or {})}
    encoder = LayerEncoder(model, form, preprocessing, name, known)
    known["sha256"] = digest(encoder.state_dict())
    return encoder
