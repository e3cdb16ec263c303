"""Table 1: the dimension of each layer of VGG16."""

from preimage.data.cost import Cost, Plain
from preimage.data.photo import SIZE
from preimage.data.records import output_folder
from preimage.network.architectures import vgg16
from preimage.network.trace import layer_table
from preimage.paper.finding import Claim, Finding
from preimage.paper.options import FigureOptions
from preimage.paper.tables import write_rows

#: Layer → channels, side and dimension, as the paper prints them.
PAPER = {
    "conv1": (64, 227, 3_297_856),
    "conv2": (128, 114, 1_663_488),
    "conv3": (256, 57, 831_744),
    "conv4": (512, 29, 430_592),
    "conv5": (512, 15, 115_200),
}
CLAIM = Claim(
    "table1",
    "table1",
    f"Table 1: the dimension of each layer of VGG16 at {SIZE}×{SIZE}",
    ", ".join(f"{layer.capitalize()} {dimension:,}" for layer, (*_, dimension) in PAPER.items()),
)


def run(options: FigureOptions) -> list[Finding]:
    """Table 1, computed from the description and compared with the printed one."""
    ours = {
        layer: (step.channels, step.height, step.dimension)
        for layer, step in layer_table(vgg16(), SIZE, SIZE)
    }
    rows = [
        {"layer": layer, "channels": channels, "side": side, "dimension": dimension}
        for layer, (channels, side, dimension) in ours.items()
    ]
    table = write_rows(output_folder(options.out) / "table1.csv", rows)
    numbers = {layer: dimension for layer, (*_, dimension) in ours.items()}
    sentence = ", ".join(f"{layer.capitalize()} {{{layer}:,}}" for layer in ours)
    return [CLAIM.finding(sentence, ours == PAPER, numbers, tables=(table,))]


def cost(options: FigureOptions) -> Cost:
    """Next to nothing."""
    return Plain(options.figure, 1.0)
