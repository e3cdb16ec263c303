"""`preimage show`: a CNN and its DCN, one operation per line."""

from preimage.app.cli.commands import ShowCommand
from preimage.network.operations import ChannelMean, Conv, Crop, Normalise, Operation, Pool, Unpool
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


def in_words(op: Operation, in_channels: int) -> str:
    """An operation in a few words."""
    match op:
        case Conv():
            size = f"{op.kernel_size}×{op.kernel_size}"
            words = [f"conv {size}, {in_channels} → {op.out_channels}"]
            if op.stride > 1:
                words.append(f"stride {op.stride}")
            if op.padding != ((op.kernel_size - 1) // 2, op.kernel_size // 2):
                words.append(f"padding {op.padding[0]}+{op.padding[1]}")
            words += ["batch norm"] * op.batch_norm + ["bias"] * op.bias
            words += ["÷√channels"] * op.normalised
            activation = {0.0: "ReLU", 1.0: "linear"}.get(op.slope, f"leaky ReLU {op.slope:g}")
            return ", ".join([*words, activation])
        case Pool():
            mode = ", ceil" if op.ceil else ""
            return f"{op.kind} pool {op.kernel_size}×{op.kernel_size}, stride {op.stride}{mode}"
        case Unpool():
            return f"unpool {op.kind} ×{op.stride}, at least the size before {op.like}"
        case Crop():
            return f"crop to the size of {op.like}"
        case ChannelMean():
            return f"mean over {in_channels} channels"
        case Normalise():
            mean, std = (", ".join(f"{v:g}" for v in values) for values in (op.mean, op.std))
            return f"(x − mean) / std, mean {mean}, std {std}"


def _shape(channels: int, height: int, width: int) -> str:
    return f"{channels}×{height}×{width}"
