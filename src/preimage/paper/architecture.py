"""Figure 1: the Conv5-DeConv5 network."""

from collections import Counter

from preimage.data.cost import Cost, Plain
from preimage.data.photo import SIZE
from preimage.network.architectures import vgg16
from preimage.network.operations import Conv, Crop, Pool, Unpool
from preimage.network.trace import trace
from preimage.paper.finding import Claim, Finding
from preimage.paper.options import FigureOptions

CLAIM = Claim(
    "fig1",
    "fig1",
    "Figure 1: VGG16's Conv5-DeConv5 network",
    "26 convolutions, 4 pools and as many upsamplings, one crop at the end",
)


def run(options: FigureOptions) -> list[Finding]:
    """The operations of the network, counted, and the size that comes out."""
    encoder = vgg16().cut("conv5")
    network = encoder + encoder.mirror("zeros")
    count = Counter(type(operation) for operation in network.operations)
    last = trace(network, SIZE, SIZE)[-1]
    numbers = {
        "convolutions": count[Conv],
        "pools": count[Pool],
        "unpools": count[Unpool],
        "crops": count[Crop],
        "side_in": SIZE,
        "side_out": last.height,
    }
    holds = [count[kind] for kind in (Conv, Pool, Unpool, Crop)] == [26, 4, 4, 1]
    sentence = (
        "{convolutions} convolutions, {pools} pools, {unpools} unpoolings, {crops} crop; "
        "{side_in}×{side_in} pixels in, {side_out}×{side_out} out"
    )
    return [CLAIM.finding(sentence, holds and last.height == last.width == SIZE, numbers)]


def cost(options: FigureOptions) -> Cost:
    """Next to nothing."""
    return Plain(options.figure, 1.0)
