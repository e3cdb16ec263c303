"""`preimage reproduce theory`: the theorems of Section 5 against random networks."""

from dataclasses import asdict

from preimage.app.cli.commands import ReproduceCommand
from preimage.data.photo import SIZE, open_photos
from preimage.data.records import environment, output_folder, write_json
from preimage.data.tables import text_table
from preimage.paper.draw import save_figure
from preimage.paper.finding import Finding, verdict
from preimage.paper.theorems_draw import draw_theory
from preimage.paper.theorems_study import AngleCurves, KernelCurve, study_theory

NETWORKS = {"quick": 60, "paper": 1000}
COMMAND = "preimage reproduce theory"


def run(config: ReproduceCommand) -> list[Finding]:
    """Figures, numbers, and what each theorem is worth on the first photo of `config.data`.

    Raises:
        ValueError: fewer than two networks, or `delta` is no probability.
    """
    networks = NETWORKS[config.scale] if config.networks is None else config.networks
    if networks < 2:
        raise ValueError(f"--networks must be at least 2 to have quantiles, got {networks}.")
    if not 0 < config.delta < 1:
        raise ValueError(f"--delta is a probability between 0 and 1, got {config.delta}.")
    if config.dry_run:
        print(f"theory: {networks} networks a width; about two minutes on two cores")
        return []
    folder = output_folder(config.out)
    photo = next(open_photos(config.data or None, SIZE))
    image = photo.pixels[None] / 255
    study = study_theory(image, num_networks=networks, delta=config.delta, seed=config.seed)
    for name, figure in draw_theory(study).items():
        save_figure(figure, folder / f"theory_{name}.png")
    record = {
        "command": asdict(config),
        "photo_sha256": photo.sha256,
        "two_layers": asdict(study.two_layers),
        "many_layers": asdict(study.many_layers),
        "kernels": asdict(study.kernels),
        "cosine_by_unpooling": study.grids.cosine,
    }
    write_json(folder / "theory_numbers.json", {**record, "environment": environment()})
    for curves in (study.two_layers, study.many_layers):
        print(f"{_table(curves)}\n")
    return [
        _angle_finding("theorem5.2", study.two_layers, "sin Θ ≤ √(K₁/(Nδ)) with probability 1 − δ"),
        _angle_finding("theorem5.3", study.many_layers, "sin Θ falls like N^(−1/4) at worst"),
        _kernel_finding(study.kernels),
    ]


def _angle_finding(name: str, curves: AngleCurves, statement: str) -> Finding:
    top = 1 - curves.delta
    measured = curves.measured[top]
    holds = all(
        m <= bound
        for values in curves.bounds.values()
        for m, bound in zip(measured, values, strict=True)
    )
    bounds = ", ".join(f"{name} {values[-1]:.2f}" for name, values in curves.bounds.items())
    return Finding(
        name,
        f"Theorem {name.removeprefix('theorem')}: {curves.title}",
        statement,
        f"at width {curves.widths[-1]} the {100 * top:.0f} % quantile of sin Θ is "
        f"{measured[-1]:.3f} (bounds and predictions: {bounds}); it falls as "
        f"width^({curves.exponent:.3f} ± {1.96 * curves.exponent_stderr:.3f}), 95 % interval, over "
        f"{curves.num_networks} networks a width",
        verdict(holds),
        ("theory_angles.png",),
        ("theory_numbers.json",),
        COMMAND,
    )


def _kernel_finding(curve: KernelCurve) -> Finding:
    ends = (0, len(curve.kernel_sizes) - 1)
    holds = curve.cosine == sorted(curve.cosine, reverse=True) and all(
        bound <= cosine for bound, cosine in zip(curve.bound, curve.cosine, strict=True)
    )
    return Finding(
        "theorem5.4",
        "Theorem 5.4: the kernel size",
        "cos Φ falls with the kernel size",
        "; ".join(
            f"kernel {curve.kernel_sizes[i]}: cos Φ {curve.cosine[i]:.3f}, bound "
            f"{curve.bound[i]:.3f}"
            for i in ends
        ),
        verdict(holds),
        ("theory_kernel_size.png", "theory_grids.png"),
        ("theory_numbers.json",),
        COMMAND,
    )


def _table(curves: AngleCurves) -> str:
    top = 1 - curves.delta
    heading = (f"{curves.title}: sin Θ", f"measured {100 * top:.0f} %", *curves.bounds)
    rows = []
    for index, width in enumerate(curves.widths):
        bounds = [f"{values[index]:.3f}" for values in curves.bounds.values()]
        rows.append((f"width {width}", f"{curves.measured[top][index]:.4f}", *bounds))
    return text_table(heading, rows)
