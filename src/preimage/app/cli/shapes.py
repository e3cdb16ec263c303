"""`preimage shapes`: the paper's Table 1."""

from preimage.app.cli.commands import ShapesCommand
from preimage.data.tables import text_table
from preimage.network.architectures import architecture
from preimage.network.spec import parse_size
from preimage.network.trace import layer_table


def run(config: ShapesCommand) -> int:
    """Prints the layers of an architecture with shape, dimension, cost and receptive field."""
    description = architecture(config.architecture)
    if config.width_factor is not None:
        description = description.scale_width(config.width_factor)
    height, width = parse_size(config.size)
    channels = description.in_channels
    rows = [
        ("Data", str(channels), f"{height}×{width}", f"{channels * height * width:,}", "", "", "")
    ]
    for name, step in layer_table(description, height, width):
        rows.append(
            (
                name.capitalize(),
                str(step.channels),
                f"{step.height}×{step.width}",
                f"{step.dimension:,}",
                f"{step.parameters:,}",
                f"{step.multiply_adds:,}",
                f"{step.receptive_field}×{step.receptive_field}",
            )
        )
    heading = (
        "Layer",
        "Channels",
        "Shape",
        "Dimension",
        "Parameters",
        "Multiply-adds",
        "Receptive field",
    )
    print(text_table(heading, rows))
    return 0
