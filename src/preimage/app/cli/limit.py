"""`preimage limit`: what a random CNN-DCN shows at infinite width, beside finite networks."""

from dataclasses import asdict

import numpy as np

from preimage.app.cli.commands import LimitCommand
from preimage.app.cli.options import flat
from preimage.data.photo import open_photo
from preimage.data.records import environment, output_folder, write_atomically, write_json
from preimage.data.tables import text_table
from preimage.paper.draw import save_figure
from preimage.paper.limit_sheet import draw_limit, study_limit
from preimage.scores.metrics import GREY, grey_scores


def run(config: LimitCommand) -> int:
    """Computes the limit and the networks, writes the figure, and prints how close they are."""
    if config.networks < 2:
        raise ValueError(f"`networks` must be at least 2 to have a spread, got {config.networks}.")
    network = config.network.network().with_normalisation()
    folder = output_folder(config.out)
    photo = open_photo(config.photo, config.size or None)
    image = photo.pixels[None] / 255  # only the brightness scales with it
    result = study_limit(
        image, network, config.weights, num_networks=config.networks, seed=config.seed
    )
    scores = grey_scores(image, result.limit[None, None].float())
    finite = grey_scores(image, result.network[None, None].float())
    figure = save_figure(draw_limit(result), folder / "limit.png")

    def write_limit(path: object) -> None:
        np.save(str(path), result.limit.numpy(), allow_pickle=False)

    write_atomically(folder / "limit.npy", write_limit)
    numbers = {
        "limit": {"ssim": float(scores.ssim), "pearson": float(scores.pearson)},
        "network_0": {"ssim": float(finite.ssim), "pearson": float(finite.pearson)},
        "sine_of_angle": result.sine,
        "predicted_std": result.spread(result.predicted_std),
        "measured_std": result.spread(result.measured_std),
        "sampling_stderr": result.spread(result.stderr),
    }
    write_json(
        folder / "run.json",
        {
            "command": flat(config),
            "description": network.to_dict(),
            "photo_sha256": photo.sha256,
            "contract": asdict(GREY),
            "numbers": numbers,
            "environment": environment(),
        },
    )
    rows = [
        ("infinite width", *(f"{value[0]:.3f}" for value in (scores.ssim, scores.pearson)), "0"),
        (
            f"network 0, width {network.convs[0].out_channels}",
            *(f"{value[0]:.3f}" for value in (finite.ssim, finite.pearson)),
            f"{result.sine:.3f}",
        ),
    ]
    print(text_table((photo.name, "SSIM", "Pearson", "sin of angle"), rows))
    print(
        f"std of a pixel (root mean square; the limit's brightest is 1): predicted to leading "
        f"order {numbers['predicted_std']:.3f}, measured over {config.networks} networks "
        f"{numbers['measured_std']:.3f}\n{figure}, {folder / 'limit.npy'}"
    )
    return 0
