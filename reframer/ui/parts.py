"""The components that all tabs use, made in one way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

# What an event changes: a component, and its value or its `gr.update`.
Shown = dict[Any, Any]

# How every event of the page is handled: without a spinner, and not for other programs to call.
QUIETLY: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# Without this the browser writes what stands in a box into its session files.
UNKEPT = gr.InputHTMLAttributes(autocomplete="off", spellcheck=False)


def sheet(
    markup: str | Callable[[], str] = "", name: str | None = None, *, ours: bool = False
) -> gr.Markdown:
    """Return a component that shows markup made by `reframer.ui.markup`.

    Args:
        markup: What it shows, or a function that says so whenever a page is opened.
        name: The element's id in the page.
        ours: Whether no word in it was written by anybody else; only then may it hold pictures.
    """
    return gr.Markdown(
        markup, elem_id=name, latex_delimiters=[], header_links=False, sanitize_html=not ours
    )


def quiet_button(label: str, name: str | None = None, *, visible: bool = True) -> gr.Button:
    """Return a button that looks like a word."""
    return gr.Button(
        label, elem_id=name, elem_classes="quiet", size="sm", min_width=0, scale=0, visible=visible
    )
