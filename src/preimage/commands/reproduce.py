"""`preimage reproduce`: a figure, from its computation to its numbers."""

from dataclasses import asdict

from preimage.config import ReproduceCommand
from preimage.figures import save_figure
from preimage.reconstruction import open_photo
from preimage.results import environment, output_folder, write_json
from preimage.studies.theory import AngleCurves, study_theory
from preimage.tables import text_table
from preimage.theory_figures import draw_theory

SIZE = 227


def run(config: ReproduceCommand) -> int:
    """Theorems against networks: figures, and a table of bounds over measured angles."""
    if config.networks < 2:
        raise ValueError(f"--networks must be at least 2 to have quantiles, got {config.networks}.")
    if not 0 < config.delta < 1:
        raise ValueError(f"--delta is a probability between 0 and 1, got {config.delta}.")
    folder = output_folder(config.out)
    photo = open_photo(config.photo, SIZE)
    image = photo.pixels[None] / 255
    study = study_theory(image, num_networks=config.networks, delta=config.delta, seed=config.seed)
    for name, figure in draw_theory(study).items():
        print(save_figure(figure, folder / f"theory_{name}.png"))
    write_json(
        folder / "theory_numbers.json",
        {
            "command": asdict(config),
            "photo_sha256": photo.sha256,
            "two_layers": asdict(study.two_layers),
            "many_layers": asdict(study.many_layers),
            "kernels": asdict(study.kernels),
            "cosine_by_unpooling": study.grids.cosine,
            "environment": environment(),
        },
    )
    for curves in (study.two_layers, study.many_layers):
        print(f"\n{_table(curves)}")
        print(
            f"the angle falls as width^({curves.exponent:.3f} ± "
            f"{1.96 * curves.exponent_stderr:.3f}), 95 % interval; the theory says −1/2"
        )
    return 0


def _table(curves: AngleCurves) -> str:
    top = 1 - curves.delta
    heading = (f"{curves.title}: sin Θ", f"measured {100 * top:.0f} %", *curves.bounds)
    rows = []
    for index, width in enumerate(curves.widths):
        bounds = [f"{values[index]:.3f}" for values in curves.bounds.values()]
        rows.append((f"width {width}", f"{curves.measured[top][index]:.4f}", *bounds))
    return text_table(heading, rows)
