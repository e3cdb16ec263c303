"""A notebook, run: what its cells show, the bar below one, and an interrupt that keeps results."""

from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient", reason="nbclient comes with the extra `docs`")
nbformat = pytest.importorskip("nbformat", reason="nbformat comes with the extra `docs`")
pytest.importorskip("ipykernel", reason="ipykernel comes with the extra `docs`")

CELLS = (
    "from preimage import Inverter, embedded_photos, reconstruct\n"
    "photos = embedded_photos(24)\n"
    "results = reconstruct(photos, layer='conv1', width=2, head='mean')\n"
    "results",
    "results.plot()",
    "from preimage.data.progress import progress_bar\n"
    "with progress_bar('<photos>', 3) as advance:\n"
    "    advance()",
    "def photos_of_an_impatient_person():\n"
    "    yield photos[0]\n"
    "    raise KeyboardInterrupt\n"
    "reconstruct(photos_of_an_impatient_person(), layer='conv1', width=2)",
    "import sys; sys.last_value.results[0]",
)


@pytest.fixture(scope="module")
def outputs() -> list[list[Any]]:
    """Of each cell."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=300, allow_errors=True).execute()
    return [cell.outputs for cell in notebook.cells]


def test_a_result_shows_its_pictures_and_nothing_else(outputs: list[list[Any]]) -> None:
    assert not [output.text for output in outputs[0] if output.output_type == "stream"]
    shown = outputs[0][-1].data
    assert shown["text/html"].count("<img") == 4
    assert shown["text/plain"].startswith("4 reconstructions, SSIM ")
    assert "image/png" in shown


def test_a_figure_is_shown_once_without_pyplot(outputs: list[list[Any]]) -> None:
    (figure,) = outputs[1]
    assert "image/png" in figure.data


def test_a_bar_is_gone_when_it_is_done(outputs: list[list[Any]]) -> None:
    (bar,) = outputs[2]
    assert bar.output_type == "display_data"
    assert not bar.data["text/html"]


def test_an_interrupt_leaves_what_is_finished(outputs: list[list[Any]]) -> None:
    error = outputs[3][-1]
    assert error.ename == "Interrupted"
    assert "1 of the photos is finished" in error.evalue
    assert outputs[4][-1].data["text/plain"].startswith("Reconstruction(astronaut, 24×24 pixels")
