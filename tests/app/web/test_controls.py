"""The controls are the library's options, and stop where it allows."""

from unchecked import unchecked

from preimage import ReconstructConfig, architecture
from preimage.app.web.controls import controls, layers
from preimage.app.web.requests import read_query
from preimage.app.web.settings import START, START_PHOTO
from preimage.network.architectures import ARCHITECTURES


def test_every_stop_is_a_value_that_the_library_takes() -> None:
    with unchecked():
        made = controls()
        for control in made.values():
            assert control.help
            for value, _ in control.stops:
                name, said = control.name, value
                if name in ("family", "scale"):
                    law = {"family": "gaussian", "scale": "0.1", name: value}
                    name, said = "weights", f"{law['family']}:{law['scale']}"
                config = read_query([(name, said)]).config
                if name in ("layer", "kernel_size", "architecture"):
                    config.network()


def test_the_page_begins_where_its_controls_stand() -> None:
    made = dict(controls())
    law = f"{made.pop('family').value}:{made.pop('scale').value}"
    words = {name: control.value for name, control in made.items()}
    asked = read_query([*words.items(), ("weights", law)])
    assert (asked.config, asked.photo) == (START, START_PHOTO)
    defaults = [(name, control.default) for name, control in made.items()]
    assert read_query(defaults).config == ReconstructConfig()


def test_layers_are_where_an_architecture_can_be_cut() -> None:
    for name, found in layers().items():
        convs = [architecture(name).cut(layer).convs[-1] for layer in found]
        assert tuple(convs) == architecture(name).convs
    assert layers().keys() == ARCHITECTURES.keys()
    assert layers()["vgg16"][:4] == ("conv1_1", "conv1", "conv2_1", "conv2")
