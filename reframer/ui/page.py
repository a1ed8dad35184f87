"""The page: its frame, and its launch for the one who opened it."""

from __future__ import annotations

import webbrowser

from reframer import paths, seal
from reframer.errors import UsageError

seal.switch_off_reporting()  # before gradio, which reads its switches on import

import gradio as gr  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402

from reframer.server.address import promise  # noqa: E402
from reframer.ui.chat import Chat  # noqa: E402
from reframer.ui.choices import Choices, look_markup  # noqa: E402
from reframer.ui.guard import Guard, new_token  # noqa: E402
from reframer.ui.help import Help  # noqa: E402
from reframer.ui.house import House  # noqa: E402
from reframer.ui.journal import Journal  # noqa: E402
from reframer.ui.markup import escaped, prose  # noqa: E402
from reframer.ui.over_time import OverTime  # noqa: E402
from reframer.ui.parts import QUIETLY, sheet  # noqa: E402
from reframer.ui.practice import Practice  # noqa: E402
from reframer.ui.privacy import Privacy  # noqa: E402
from reframer.ui.theme import theme  # noqa: E402
from reframer.ui.visitors import Visitors  # noqa: E402

_QUIET_LINE = (
    "A program on this computer, not a person and not care. {where} "
    "People to talk to are under Help."
)


def build(house: House) -> gr.Blocks:
    """Return the page."""
    page = gr.Blocks(title="reframer", analytics_enabled=False)
    with page:
        look = sheet(lambda: look_markup(house), "look")
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap"):
            with gr.Tab("Chat", id="chat", elem_id="chat"):
                chat = Chat(house)
                _state(house)
            with gr.Tab("Journal", id="journal", elem_id="journal"):
                journal = Journal(house)
            with gr.Tab("Practice", id="practice", elem_id="practice"):
                Practice(house)
            with gr.Tab("Over time", id="over-time", elem_id="over-time") as over_time:
                OverTime(chat, over_time)
            with gr.Tab("Help", id="help", elem_id="help"):
                help_tab = Help(house)
            with gr.Tab("Privacy", id="privacy", elem_id="privacy"):
                Privacy(house)
            with gr.Tab("Settings", id="settings", elem_id="settings"):
                Choices(house, help_tab, look)
        about = _QUIET_LINE.format(where=escaped(promise(house.settings)))
        sheet(f"<p>{about}</p>", "about")
        visitors = Visitors(page)
        page.load(visitors.enter, [chat.talk, journal.desk], None, **QUIETLY)
        page.unload(visitors.leave)
    return page


def launch(house: House, *, browser: bool = True, block: bool = True) -> str:
    """Open the page on 127.0.0.1 and say where.

    Args:
        house: The friend, the cards and the settings; the port is among them.
        browser: Whether to open the page in the user's browser.
        block: Whether to stay until the user ends the program.

    Returns:
        The address with this launch's secret.

    Raises:
        UsageError: The port is taken.
    """
    token = new_token()
    port = house.settings.port
    page = build(house)
    try:
        page.launch(
            server_name="127.0.0.1",
            server_port=port,
            share=False,
            inbrowser=False,
            quiet=True,
            prevent_thread_lock=True,
            show_error=False,
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            enable_monitoring=False,
            app_kwargs={
                "middleware": [Middleware(Guard, port=port, token=token)],
                "docs_url": None,
                "redoc_url": None,
                "openapi_url": None,
            },
            theme=theme(),
            css_paths=[
                paths.package_file("ui", "page.css"),
                paths.package_file("pictures", "pictures.css"),
            ],
            head=_script(),
        )
    except OSError as error:
        raise UsageError(
            f"Port {port} is taken, perhaps by a reframer that is still open.",
            "Use that one, or choose another with --port.",
        ) from error
    address = f"http://127.0.0.1:{port}/?k={token}"
    if browser:
        webbrowser.open(address)
    if block:
        print(f"Your page is open, for you alone, at\n\n  {address}\n\nCtrl-C ends it.", flush=True)  # noqa: T201
        page.block_thread()
    return address


def _state(house: House) -> None:
    """Show how far the opening of the model is, until it is over."""
    line = sheet(lambda: _state_markup(house), "state")
    clock = gr.Timer(1.0)

    def look_again() -> tuple[str, gr.Timer]:
        return _state_markup(house), gr.Timer(active=not house.friend.awake)

    clock.tick(look_again, None, [line, clock], **QUIETLY)


def _state_markup(house: House) -> str:
    return prose(house.friend.state)


def _script() -> str:
    """Return the page's own script; it stands in the page, as no other place is let through."""
    return f"<script>{paths.package_file('ui', 'page.js').read_text(encoding='utf-8')}</script>"
