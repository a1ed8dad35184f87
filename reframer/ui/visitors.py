"""The browser tabs that are open, so that what each holds can be forgotten when it is closed."""

from __future__ import annotations

import gradio as gr

from reframer.ui.desk import Desk
from reframer.ui.talk import Talk


class Visitors:
    """Knows what is whose.

    Args:
        page: The page, which holds what every tab was last shown.
    """

    def __init__(self, page: gr.Blocks) -> None:
        self._page = page
        self._here: dict[str | None, tuple[Talk, Desk]] = {}

    def enter(self, talk: Talk, desk: Desk, request: gr.Request) -> None:
        """Know whose tab was opened."""
        self._here[request.session_hash] = (talk, desk)

    def leave(self, request: gr.Request) -> None:
        """Free the work of a tab that was closed, and forget what was said and shown there."""
        talk, desk = self._here.pop(request.session_hash, (None, None))
        if talk and desk:
            talk.leave()
            desk.clear()
        # Gradio would keep it for an hour, and most of it until ten thousand others were here.
        self._page.state_holder.session_data.pop(request.session_hash or "", None)
