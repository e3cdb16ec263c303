"""Why: no number of docs/probe.md is typed by hand; they are those of probe_study.json.

    python benchmarks/probe_study_page.py

writes the tables and sentences between the markers of docs/probe.md, and the picture beside
them, from what `probe_study_findings.py` wrote.
"""

import json
from collections import Counter
from pathlib import Path
from statistics import fmean, stdev

from probe_study_draw import NAMES, Findings, picture

from preimage.data.records import write_text
from preimage.paper.draw import save_figure

ROOT = Path(__file__).parents[1]
FINDINGS = ROOT / "benchmarks" / "probe_study.json"
PAGE = ROOT / "docs" / "probe.md"
PICTURE = ROOT / "docs" / "pictures" / "probe_study.png"
BEGIN, END = "<!-- {}: written by benchmarks/probe_study_page.py -->", "<!-- end of {} -->"
MARKS = {"training keeps more": "more", "training throws away": "less", "not decided": "?"}


def signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


# --- tables ---------------------------------------------------------------------------------------


def verdicts(findings: Findings, kind: str | None = None) -> Counter[str]:
    """How often each mark stands; against the twins that the findings rest on, or of one kind."""
    return Counter(
        MARKS[layer["twins"][kind or network["main"]]["verdict"]]
        for network in findings["networks"].values()
        for layer in network["layers"]
        if (kind or network["main"]) in layer["twins"]
    )


def headline(findings: Findings) -> str:
    """One sentence: how often training keeps more, how often less, and where."""
    count = verdicts(findings)
    less = [
        f"{NAMES[name]} `{layer['layer']}`"
        for name, network in findings["networks"].items()
        for layer in network["layers"]
        if layer["twins"][network["main"]]["verdict"] == "training throws away"
    ]
    where = f" ({', '.join(less)})" if less else ""
    return (
        f"Of {count.total()} layers of {len(findings['networks'])} trained networks, "
        f"{count['more']} give a linear decoder decidedly more of the photo than random twins do, "
        f"{count['less'] or 'none'} less{where}; {count['?']} are not decided."
    )


def by_depth(findings: Findings) -> str:
    """The layers of all networks by eighths of their depth: mean difference, verdicts."""
    lines = [
        "| layer, of eight | trained minus twins, dB, mean and range over networks | more / less / "
        "undecided |",
        "| --- | --- | --- |",
    ]
    for index in range(8):
        cells = [
            network["layers"][index]["twins"][network["main"]]
            for network in findings["networks"].values()
        ]
        gaps = [cell["difference"] for cell in cells]
        count = Counter(MARKS[cell["verdict"]] for cell in cells)
        lines.append(
            f"| {index + 1} | {signed(fmean(gaps))} ({signed(min(gaps))} to {signed(max(gaps))}) | "
            f"{count['more']} / {count['less']} / {count['?']} |"
        )
    return "\n".join(lines)


def summary(findings: Findings) -> str:
    """A row per network and kind of twin: of each layer the difference and the verdict."""
    lines = [
        "| network | twins | draws | trained minus twins, dB, from the first layer to the last | "
        "training keeps more / less / undecided |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, network in findings["networks"].items():
        for kind in network["layers"][0]["twins"]:
            cells = [layer["twins"][kind] for layer in network["layers"]]
            marks = [MARKS[cell["verdict"]] for cell in cells]
            shown = ", ".join(
                f"**{signed(c['difference'])}**" if m != "?" else signed(c["difference"])
                for c, m in zip(cells, marks, strict=True)
            )
            count = Counter(marks)
            of = f"{count['more']} / {count['less']} / {count['?']}"
            lines.append(f"| {NAMES[name]} | {kind} | {len(cells[0]['psnr'])} | {shown} | {of} |")
    return "\n".join(lines)


def layers(findings: Findings) -> str:
    """Every layer of every network against the twins that its findings rest on."""
    parts = []
    for name, network in findings["networks"].items():
        photos = network["photos"]
        parts.append(
            f"**{NAMES[name]}**, {network['size']} pixels, {photos['training']} photos to fit to, "
            f"{photos['held_out']} to score; twins {network['main']}; mean image "
            f"{network['mean_image']:.2f} dB\n\n"
            "| layer | features | stride | trained | twins | trained − twins | ± photos | ± draws "
            "| verdict | bicubic | ceiling |\n" + "| --- " * 11 + "|"
        )
        for layer in network["layers"]:
            twin = layer["twins"][network["main"]]
            low, spread = fmean(twin["psnr"]), stdev(twin["psnr"])
            cells = [
                layer["layer"],
                layer["features"].removeprefix("maps "),
                f"{layer['stride']}",
                "{:.2f} ± {:.2f}".format(*layer["trained"]),
                f"{low:.2f} (s {spread:.2f})",
                f"{twin['difference']:+.2f}".replace("-", "−"),
                f"{twin['over_photos']:.2f}",
                f"{twin['over_draws']:.2f}",
                twin["verdict"],
                f"{layer['bicubic']:.2f}",
                "" if layer["ceiling"] is None else f"{layer['ceiling']:.2f}",
            ]
            parts[-1] += "\n| " + " | ".join(cells) + " |"
    return "\n\n".join(parts)


def objectives(findings: Findings) -> str:
    rows = findings["objectives"]
    others = [name for name in rows[0] if name != "layer"]
    lines = [
        "| layer | "
        + " | ".join(f"{NAMES[n].split(', ')[1]} minus ImageNet, dB" for n in others)
        + " |",
        "| --- " * (1 + len(others)) + "|",
    ]
    for row in rows:
        cells = ["{:+.2f} ± {:.2f}".format(*row[name]).replace("-", "−") for name in others]
        lines.append(f"| {row['layer']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def windows(findings: Findings) -> str:
    lines = [
        "| network | layer | trained minus twins, 1×1 | 3×3 | trained, 3×3 |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, network in findings["networks"].items():
        for layer in network["layers"]:
            if wide := layer.get("window3"):
                point = layer["twins"][network["main"]]
                pair = [f"{signed(x['difference'])} ({MARKS[x['verdict']]})" for x in (point, wide)]
                lines.append(
                    f"| {NAMES[name]} | {layer['layer']} | {pair[0]} | {pair[1]} | "
                    f"{wide['trained']:.2f} |"
                )
    return "\n".join(lines)


def calibration(findings: Findings) -> str:
    lines = [
        "| architecture | twins | draws | trials | called different over draws (5 %) | over draws "
        "and photos | after the correction |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    rows = findings["calibration"]
    for row in rows:
        lines.append(
            f"| {row['architecture']} | {row['twins']} | {row['draws']} | {row['trials']} | "
            f"{row['over_draws']} | {row['decided']} | {row['decided_corrected']} |"
        )
    sums = [sum(r[key] for r in rows) for key in ("trials", "over_draws", "decided")]
    corrected = sum(r["decided_corrected"] for r in rows)
    shares = [f"{value} ({100 * value / sums[0]:.1f} %)" for value in (*sums[1:], corrected)]
    return "\n".join([*lines, f"| all | | | {sums[0]} | " + " | ".join(shares) + " |"])


PARTS = {
    "headline": headline,
    "depth": by_depth,
    "summary": summary,
    "layers": layers,
    "objectives": objectives,
    "windows": windows,
    "calibration": calibration,
}


def written(text: str, findings: Findings) -> str:
    """The page with what stands between its markers written anew.

    Raises:
        ValueError: a marker is missing.
    """
    for name, part in PARTS.items():
        begin, end = BEGIN.format(name), END.format(name)
        head, found, rest = text.partition(begin)
        _, closed, tail = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"{PAGE.name} must hold {begin} and {end}.")
        text = f"{head}{begin}\n\n{part(findings)}\n\n{end}{tail}"
    return text


def main() -> None:
    findings = json.loads(FINDINGS.read_text("utf-8"))
    write_text(PAGE, written(PAGE.read_text("utf-8"), findings))
    save_figure(picture(findings), PICTURE, dpi=100)


if __name__ == "__main__":
    main()
