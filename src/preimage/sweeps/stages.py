"""Layers on the way of one CNN, and the DCNs behind each: what they share is computed once."""

from collections.abc import Callable, Mapping

from torch import Tensor

from preimage.network.build import Network
from preimage.network.description import Description
from preimage.network.operations import ChannelMean, Conv, Unpool
from preimage.network.trace import Size, input_sizes


class Stage:
    """A layer on the way of a CNN, and the DCNs behind it.

    Args:
        description: of the CNN as far as here.
        segment: its part behind the stage before.
    """

    def __init__(self, description: Description, segment: Network) -> None:
        self.description, self.segment = description, segment
        self._heads: dict[int, Network] = {}
        self._bodies: list[tuple[Network, list[int]]] = []  # what heads share, and which heads

    def add(
        self, index: int, decoder: Description, random: Callable[[Description], Network]
    ) -> None:
        """A DCN; what it shares with others, all but its head, is built once."""
        body, head = split_head(decoder)
        for known, heads in self._bodies:
            if known.description.operations == body.operations:
                heads.append(index)
                break
        else:
            self._bodies.append((random(body), [index]))
        self._heads[index] = random(head)

    @property
    def bodies(self) -> list[Description]:
        """Of the DCNs, without their heads."""
        return [body.description for body, _ in self._bodies]

    @property
    def networks(self) -> list[Network]:
        """All of the stage."""
        return [self.segment, *(body for body, _ in self._bodies), *self._heads.values()]

    def outputs(self, features: Tensor, sizes: Mapping[str, Size]) -> dict[int, Tensor]:
        """The output of each DCN, by its index.

        Args:
            sizes: `input_sizes` of the CNN.

        Raises:
            ValueError: one is not finite.
        """
        found: dict[int, Tensor] = {}
        for body, heads in self._bodies:
            height, width = features.shape[-2:]
            known = input_sizes(body.description, height, width, sizes)
            maps = body(features, sizes)
            for index in heads:
                found[index] = self._heads[index](maps, known).cpu()
                if not found[index].isfinite().all():
                    raise ValueError(
                        "the network's output is not finite; choose a smaller scale of `weights`."
                    )
        return found


def rest(whole: Description, before: Description | None) -> Description:
    """What of a CNN comes behind a shallower one; all of it behind None.

    Raises:
        ValueError: it does not go on the shallower one.
    """
    if before is None:
        return whole
    depth = len(before.operations)
    if whole.operations[:depth] != before.operations:
        raise ValueError(f"`configs` share one CNN, but {whole.name} does not go on {before.name}.")
    return Description(whole.name, whole.operations[depth:], before.out_channels)


def split_head(decoder: Description) -> tuple[Description, Description]:
    """A DCN in two: the body that its heads share, and the last convolution or channel mean.

    An unpooling stays with the convolution behind it, which computes both at once.
    """
    ops = decoder.operations
    end = next(
        index
        for index, op in enumerate(ops)
        if isinstance(op, ChannelMean) or (isinstance(op, Conv) and op.output)
    )
    end -= end > 0 and isinstance(ops[end - 1], Unpool)
    body = Description(f"{decoder.name} body", ops[:end], decoder.in_channels)
    return body, Description(f"{decoder.name} head", ops[end:], body.out_channels)
