"""`preimage reproduce table1`: the dimension of each layer of VGG16."""

from preimage.app.cli.commands import ReproduceCommand
from preimage.data.records import output_folder
from preimage.network.architectures import vgg16
from preimage.network.trace import layer_table
from preimage.paper.finding import Finding, verdict
from preimage.paper.sweeping import command, write_rows

#: Layer → channels, side and dimension, as the paper prints them.
PAPER = {
    "conv1": (64, 227, 3_297_856),
    "conv2": (128, 114, 1_663_488),
    "conv3": (256, 57, 831_744),
    "conv4": (512, 29, 430_592),
    "conv5": (512, 15, 115_200),
}


def run(config: ReproduceCommand) -> list[Finding]:
    """Table 1, computed from the description and compared with the printed one."""
    if config.dry_run:
        print("table1: no computation worth the name")
        return []
    ours = {
        layer: (step.channels, step.height, step.dimension)
        for layer, step in layer_table(vgg16(), 227, 227)
    }
    rows = [
        {"layer": layer, "channels": channels, "side": side, "dimension": dimension}
        for layer, (channels, side, dimension) in ours.items()
    ]
    name = write_rows(output_folder(config.out) / "table1.csv", rows)
    return [
        Finding(
            "table1",
            "Table 1: the dimension of each layer of VGG16 at 227×227",
            ", ".join(f"{layer} {dimension:,}" for layer, (_, _, dimension) in PAPER.items()),
            ", ".join(f"{layer} {dimension:,}" for layer, (_, _, dimension) in ours.items()),
            verdict(ours == PAPER),
            (),
            (name,),
            command(config),
        )
    ]
