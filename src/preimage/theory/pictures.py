"""The limit of photos as people have them: `preimage.theory.limit` and its companions."""

import torch
from jaxtyping import Float
from torch import Tensor

from preimage.data.photo import SIZE
from preimage.data.pictures import Pictures, picture_batch
from preimage.network import limit as of_tensors
from preimage.network.description import Description
from preimage.network.laws import Law
from preimage.network.limit import Bracket, Sampled


def limit(
    description: Description,
    image: Pictures,
    law: Law | str = "gaussian:fan-in",
    *,
    dtype: torch.dtype = torch.float64,
) -> Float[Tensor, "N 1 h w"]:
    """f*: what the output of `build(description.with_width(n), law)` tends to as n grows.

    `preimage.network.limit.limit` says what it is exact for, and refuses. To see it:
    `preimage.plot.gallery(limit(…))`.

        >>> from preimage import embedded_photos, vgg16
        >>> encoder = vgg16().cut("conv1", pooled=True).with_pool("avg")
        >>> network = encoder + encoder.mirror("nearest").with_mean_head()
        >>> limit(network, embedded_photos(32)).shape
        torch.Size([4, 1, 32, 32])

    Args:
        image: pictures in any form of `preimage.data.pictures`, of any scale; files are cropped to
            their central square and resized to 227×227.

    Raises:
        ValueError: the network has no limit or no closed form, with the reason; or the pictures do
            not fit.
        PhotoError: a file can't be read.
    """
    return of_tensors.limit(description, _batch(image), law, dtype=dtype)


def sampled_limit(
    description: Description,
    image: Pictures,
    law: Law | str = "gaussian:fan-in",
    *,
    num_samples: int = 2048,
    num_repeats: int = 8,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> Sampled:
    """f* of a description with max pools, estimated: see `preimage.network.limit.sampled_limit`.

    `image` is given as in `limit`, whose errors it raises.
    """
    return of_tensors.sampled_limit(
        description,
        _batch(image),
        law,
        num_samples=num_samples,
        num_repeats=num_repeats,
        seed=seed,
        dtype=dtype,
    )


def limit_bracket(
    description: Description, image: Pictures, law: Law | str = "gaussian:fan-in"
) -> Bracket:
    """A bracket for f* of a network with max pools: see `preimage.network.limit.limit_bracket`.

    `image` is given as in `limit`, whose errors it raises.
    """
    return of_tensors.limit_bracket(description, _batch(image), law)


def _batch(image: Pictures) -> Float[Tensor, "N C H W"]:
    batch = picture_batch(image, "image", SIZE)
    return batch if batch.is_floating_point() else batch.float()
