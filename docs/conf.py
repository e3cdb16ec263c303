"""Sphinx settings: MyST Markdown and notebooks, furo, mathematics as MathML; no outside host."""

import sys
from pathlib import Path

from preimage import __version__

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext")]

from tutorial_times import source_digest  # noqa: E402

project = "preimage"
author = "The preimage developers"
copyright = "the preimage developers. Apache-2.0"
release = __version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "mathml",
    "code_links",
    "ranges_in_words",
    "root_pages",
    "tutorial_times",
]
exclude_patterns = ["_build"]
default_role = "code"  # `name` in a docstring; code_links makes it a link

html_theme = "furo"
html_title = "preimage"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_theme_options = {"top_of_page_buttons": []}

myst_enable_extensions = [
    "amsmath",
    "attrs_block",
    "attrs_inline",
    "colon_fence",
    "deflist",
    "dollarmath",
]
myst_heading_anchors = 3

# Tutorials are run again when they or the package's source change; an error in one fails the build.
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / f".executed-{source_digest()[:12]}")
nb_execution_timeout = 300  # seconds per cell
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_output_stderr = "remove"  # progress, and notes of other libraries

autodoc_member_order = "bysource"
autodoc_typehints = "description"
