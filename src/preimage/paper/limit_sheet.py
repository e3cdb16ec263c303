"""A photo's infinite-width limit beside finite networks, on one sheet: `preimage limit`."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from preimage.data.free_memory import require_memory
from preimage.data.photo import SIZE
from preimage.data.photos import Photos, open_photo
from preimage.data.progress import progress_bar
from preimage.network.description import Description
from preimage.network.footprint import map_bytes
from preimage.network.limit.held import covariance_bytes
from preimage.network.operations import Pool
from preimage.network.trace import Size
from preimage.notebook.figures import ShownFigure
from preimage.notebook.pictures import as_image
from preimage.notebook.view import Drawn, Tile
from preimage.paper.angles import network_outputs, sines
from preimage.theory import limit, relative_std, sampled_limit


@dataclass(frozen=True, repr=False)
class LimitPicture(Drawn):
    """A photo's limit and finite networks beside it; maps are (h, w), in the limit's brightness.

    In a notebook it shows the photo, the limit and one network; `plot` draws six panels.

    `stderr` is that of a sampled limit (max pooling), else 0. `predicted_std` is `|f*|` times
    `relative_std`; for average and max pools inside the network it is a rule, not a theorem.
    """

    description: Description
    photo: Float[Tensor, "C H W"]
    limit: Float[Tensor, "h w"]
    stderr: Float[Tensor, "h w"]
    network: Float[Tensor, "h w"]
    predicted_std: Float[Tensor, "h w"]
    measured_std: Float[Tensor, "h w"]
    num_networks: int

    @property
    def sine(self) -> float:
        """The sine of the angle between the one network's output and the limit."""
        return float(sines(self.network.reshape(1, -1), self.limit)[0])

    @property
    def width(self) -> int:
        """Channels of the networks' first convolution."""
        return self.description.convs[0].out_channels

    def __repr__(self) -> str:
        return (
            f"LimitPicture({self.description.name}: {self.num_networks} networks of width "
            f"{self.width}, sin Θ {self.sine:.3f} from the limit)"
        )

    def _tiles(self) -> list[Tile]:
        top = float(self.limit.max())
        return [
            Tile(as_image(self.limit, 0.0, top), "the limit (infinite width)"),
            Tile(as_image(self.photo), "the photo"),
            Tile(
                as_image(equally_bright(self.network, self.limit), 0.0, top),
                f"one network, width {self.width}, equally bright",
            ),
        ]

    def _rows(self) -> list[dict[str, float]]:
        return [
            {
                "sine_of_angle": self.sine,
                "predicted_std": self.spread(self.predicted_std),
                "measured_std": self.spread(self.measured_std),
                "networks": self.num_networks,
            }
        ]

    def _figure(self) -> ShownFigure:
        return draw_limit(self)

    def spread(self, std: Float[Tensor, "h w"]) -> float:
        """Root mean square of a map of deviations, in units of the limit's brightest pixel."""
        return float(std.square().mean().sqrt() / self.limit.max())


def study_limit(
    image: Photos,
    description: Description,
    law: str = "gaussian:fan-in",
    *,
    num_networks: int = 8,
    seed: int = 0,
    num_samples: int = 512,
) -> LimitPicture:
    """The limit of one photo, beside `num_networks` networks at the description's widths.

        >>> from preimage import embedded_photos, study_limit, vgg16
        >>> encoder = vgg16().cut("conv1", pooled=True).with_pool("avg").with_width(16)
        >>> network = encoder + encoder.mirror("nearest").with_mean_head()
        >>> study = study_limit(embedded_photos(40)[1], network.with_normalisation())
        >>> study.num_networks, study.width, f"{study.sine:.1f}"
        (8, 16, '0.1')

    Args:
        image: a tensor (1, C, H, W) of any scale, or one photo in any form that
            `preimage.load_photos` takes: files are cropped and resized to 227×227.

    Raises:
        PhotoError: the photo can't be read, or there are several.
        ValueError: fewer than two networks; the description has no limit, or pools behind its last
            convolution.
        MemoryTooSmall: naming what is needed and what is free.
    """
    if num_networks < 2:
        raise ValueError(f"`num_networks` must be at least 2 to have a spread, got {num_networks}.")
    if not (isinstance(image, Tensor) and image.ndim == 4):
        image = open_photo(image, SIZE).pixels[None] / 255  # only the brightness scales with it
    require_study(description, (image.shape[-2], image.shape[-1]))
    image = image.double()
    if any(isinstance(op, Pool) and op.kind == "max" for op in description.operations):
        f_star, stderr = sampled_limit(description, image, law, num_samples=num_samples, seed=seed)
    else:
        f_star = limit(description, image, law)
        stderr = torch.zeros_like(f_star)
    with progress_bar("networks", num_networks) as advance:
        draws = network_outputs(description, image, num_networks, law, seed, advance).reshape(
            num_networks, *f_star.shape[-2:]
        )
    return LimitPicture(
        description,
        image[0],
        f_star[0, 0],
        stderr[0, 0],
        draws[0],
        f_star[0, 0].abs() * relative_std(description),
        draws.std(0),
        num_networks,
    )


def require_study(description: Description, size: Size) -> None:
    """Refuses a photo of this size whose limit, or the networks beside it, do not fit in memory.

    Raises:
        MemoryTooSmall: naming what is needed and what is free.
        ValueError: the description has no limit, or the photo is too small.
    """
    what = f"a photo of {size[0]}×{size[1]} pixels"
    maps = map_bytes(description, size, bytes_per_value=8)
    require_memory(maps, what, "give a smaller `size` or `width`")
    require_limit(description, size)


def require_limit(description: Description, size: Size, dtype: torch.dtype = torch.float64) -> None:
    """Refuses a photo of this size whose limit does not fit. Raises as `require_study`."""
    what = f"the limit for a photo of {size[0]}×{size[1]} pixels"
    needed = covariance_bytes(description, size, dtype.itemsize)
    require_memory(needed, what, "give a smaller `size`, or a CNN with fewer average pools")


def equally_bright(network: Float[Tensor, "h w"], limit: Float[Tensor, "h w"]) -> Tensor:
    """A network's output, scaled to be as near to the limit as it can be.

    Its brightness has most of its noise; what is left is what an eye would see.
    """
    square = network.square().sum()
    scale = (network * limit).sum() / torch.where(square > 0, square, 1.0)
    return scale * network


def draw_limit(result: LimitPicture) -> ShownFigure:
    """Six panels: photo, limit, network; their difference, predicted and measured deviation."""
    figure = ShownFigure(figsize=(10, 6.8), layout="constrained")
    axes = figure.subplots(2, 3)
    top = float(result.limit.max())
    photo = axes[0, 0]
    photo.imshow(result.photo.permute(1, 2, 0).clamp(0, 1).numpy(), cmap="gray")
    photo.set_title("photo")
    for axis, image, title in (
        (axes[0, 1], result.limit, "limit $f^*$ (infinite width)"),
        (
            axes[0, 2],
            result.network,
            f"one network, width {result.width}: sin Θ = {result.sine:.3f}",
        ),
    ):
        axis.imshow((image / top).numpy(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(title, fontsize=10)
    difference = (equally_bright(result.network, result.limit) - result.limit) / top
    most = float(difference.abs().flatten().quantile(0.995)) or 1.0
    _image_with_bar(
        figure, axes[1, 0], difference, "network, equally bright, − limit", "RdBu_r", (-most, most)
    )
    spread = float(max(result.predicted_std.max(), result.measured_std.max())) / top
    for axis, image, title in (
        (axes[1, 1], result.predicted_std, "predicted std of a pixel"),
        (axes[1, 2], result.measured_std, f"measured std, {result.num_networks} networks"),
    ):
        _image_with_bar(figure, axis, image / top, title, "viridis", (0.0, spread))
    figure.suptitle(
        f"{result.description.name}: all in units of the limit's brightest pixel", fontsize=11
    )
    for axis in axes.flat:  # not those of the colour bars
        axis.set(xticks=[], yticks=[])
    return figure


def _image_with_bar(
    figure: Figure,
    axis: Axes,
    image: torch.Tensor,
    title: str,
    colours: str,
    limits: tuple[float, float],
) -> None:
    shown = axis.imshow(image.numpy(), cmap=colours, vmin=limits[0], vmax=limits[1])
    figure.colorbar(shown, ax=axis, shrink=0.8)
    axis.set_title(title, fontsize=10)
