"""`preimage show`: a CNN and its DCN, one operation per line."""

from preimage.app.cli.commands import ShowCommand
from preimage.network.operation_table import in_words
from preimage.network.spec import parse_size
from preimage.network.trace import trace


def run(config: ShowCommand) -> int:
    """Prints the pair of networks with output shapes, or its JSON."""
    network = config.network.network()
    if config.json:
        print(network.to_json())
        return 0
    height, width = parse_size(config.size)
    steps = trace(network, height, width)
    channels = network.channels
    lines = [
        (
            op.operation.name,
            in_words(op.operation, in_channels),
            _shape(op.channels, op.height, op.width),
        )
        for op, in_channels in zip(steps, channels[:-1], strict=True)
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(2)]
    num_encoder = len(config.network.encoder().operations)
    for index, (name, words, shape) in enumerate(lines):
        if index == 0:
            print(f"CNN  {_shape(network.in_channels, height, width)}")
        if index == num_encoder:
            print("DCN")
        print(f"  {name.ljust(widths[0])}  {words.ljust(widths[1])}  {shape}")
    parameters = sum(step.parameters for step in steps)
    work = sum(step.multiply_adds for step in steps)
    print(f"{parameters:,} parameters, {work:,} multiply-adds, inserted zeros counted")
    return 0


def _shape(channels: int, height: int, width: int) -> str:
    return f"{channels}×{height}×{width}"
