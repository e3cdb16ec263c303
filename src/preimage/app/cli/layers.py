"""`preimage layers`: the layers of a model that can be probed."""

from dataclasses import replace

from preimage.app.cli.probe_commands import LayersCommand
from preimage.data.tables import text_table
from preimage.probing.models import open_model
from preimage.probing.preprocessing import RAW
from preimage.probing.survey import choose_layers
from preimage.probing.targets import list_layers


def run(command: LayersCommand) -> int:
    """Prints a line per layer; those that `auto` takes are marked."""
    opened = open_model(command.model)
    preprocessing = opened.preprocessing or RAW  # shapes do not depend on it
    if command.size:
        preprocessing = replace(preprocessing, size=command.size)
    layers = list_layers(opened.model, preprocessing)
    grids = any(layer.layout.grid for layer in layers)
    auto = choose_layers(opened.model, "auto", layers) if grids else []
    rows = [
        (layer.name, "*" if layer.name in auto else "", layer.module, str(layer.layout))
        for layer in layers
    ]
    print(text_table(("layer", "auto", "module", "features"), rows))
    side = preprocessing.size
    print(f"\n{len(layers)} layers, for photos of {side}×{side}; * taken by --layers auto")
    return 0
