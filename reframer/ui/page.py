"""The chat page: type a thought, read a friend's words and where they come from."""

from __future__ import annotations

import html
import threading
import webbrowser
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from reframer import paths, seal
from reframer.errors import ReframerError, UsageError

seal.switch_off_reporting()  # before gradio, which reads its switches on import

import gradio as gr  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402

from reframer.engine import Reframer  # noqa: E402
from reframer.records import Reframe  # noqa: E402
from reframer.settings import Settings  # noqa: E402
from reframer.ui.guard import Guard, new_token  # noqa: E402

History = list[dict[str, Any]]

_EXAMPLES = (
    "I snapped at my kids again. I'm a terrible parent.",
    "everyone else my age has their life together",
    "I froze in the meeting. They must think I'm useless.",
)
_WELCOME = "What are you telling yourself?"
_QUIET_LINE = (
    "A program on this computer, not a person and not care. Nothing you write leaves this machine "
    "or is kept. If you are in danger, call your local emergency number or someone you trust."
)


class Friend:
    """The flow, opened in the background so that the page is there at once.

    Args:
        open_reframer: Makes it; called once.
    """

    def __init__(self, open_reframer: Callable[[], Reframer]) -> None:
        self._reframer = open_reframer()
        self._problem: ReframerError | None = None
        self._opening = threading.Thread(target=self._run, name="open-model", daemon=True)
        self._opening.start()

    def answer(self, text: str) -> Reframe:
        """Answer one text, waiting for the model where it is still opening.

        Raises:
            ReframerError: The model could not be opened, or the text cannot be answered.
        """
        self._opening.join()
        return self._reframer.reframe(text)

    @property
    def state(self) -> str:
        """One line on how far the opening is, empty when all is well."""
        if self._opening.is_alive():
            return "The friend is waking up. You can already write."
        return str(self._problem or "")

    def _run(self) -> None:
        try:
            self._reframer.prepare()
        except ReframerError as problem:
            self._problem = problem


def build(friend: Friend) -> gr.Blocks:
    """Return the page."""
    page = gr.Blocks(title="reframer", analytics_enabled=False, fill_height=True)
    with page:
        gr.Markdown(f"# {_WELCOME}", elem_id="welcome")
        chat = gr.Chatbot(
            label="Conversation",
            show_label=False,
            elem_id="chat",
            height=None,
            min_height=160,
            max_height="56vh",
            render_markdown=False,
            layout="bubble",
            buttons=[],
            feedback_options=None,
            container=False,
        )
        thought = gr.Textbox(
            label="Your thought",
            show_label=False,
            placeholder="Write it as it sounds in your head",
            autofocus=True,
            lines=1,
            max_lines=8,
            submit_btn="Send",
            elem_id="thought",
            html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=False),
        )
        with gr.Row(elem_id="examples"):
            examples = [gr.Button(example, size="sm") for example in _EXAMPLES]
        state = gr.Markdown(lambda: friend.state, elem_id="state")
        gr.Markdown(_QUIET_LINE, elem_id="about")

        thought.submit(
            _take,
            [thought, chat],
            [thought, chat],
            show_progress="hidden",
            api_visibility="private",
        ).then(
            partial(_answer, friend),
            chat,
            chat,
            show_progress="hidden",
            api_visibility="private",
        ).then(lambda: friend.state, None, state, show_progress="hidden", api_visibility="private")
        for button in examples:
            button.click(
                lambda text=button.value: text,
                None,
                thought,
                show_progress="hidden",
                api_visibility="private",
            )
    return page


def launch(settings: Settings, *, browser: bool = True, block: bool = True) -> str:
    """Open the page on 127.0.0.1 and say where.

    Args:
        settings: The model, the cards and the port.
        browser: Whether to open the page in the user's browser.
        block: Whether to stay until the user ends the program.

    Returns:
        The address with this launch's secret.

    Raises:
        UsageError: The port is taken.
    """
    token = new_token()
    page = build(Friend(lambda: Reframer.open(settings)))
    guard = Middleware(Guard, port=settings.port, token=token)
    try:
        page.launch(
            server_name="127.0.0.1",
            server_port=settings.port,
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
                "middleware": [guard],
                "docs_url": None,
                "redoc_url": None,
                "openapi_url": None,
            },
            theme=_theme(),
            css_paths=[paths.package_file("ui", "page.css")],
        )
    except OSError as error:
        raise UsageError(
            f"Port {settings.port} is taken, perhaps by a reframer that is still open.",
            "Use that one, or choose another with --port.",
        ) from error
    address = f"http://127.0.0.1:{settings.port}/?k={token}"
    if browser:
        webbrowser.open(address)
    if block:
        print(f"Your page is open, for you alone, at\n\n  {address}\n\nCtrl-C ends it.", flush=True)  # noqa: T201
        page.block_thread()
    return address


def _theme() -> gr.themes.Base:
    """Calm colours and the system's own fonts; nothing is fetched."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.stone,
        font=("system-ui", "sans-serif"),
        font_mono=("ui-monospace", "monospace"),
        text_size="lg",
        radius_size="lg",
    )


def _take(text: str, history: History) -> tuple[str, History]:
    """Move what was typed into the conversation."""
    if not text.strip():
        return "", history
    return "", [*history, {"role": "user", "content": html.escape(text)}]


def _answer(friend: Friend, history: History) -> Iterator[History]:
    """Answer the last thing said, showing that an answer is under way."""
    if not history or history[-1]["role"] != "user":
        yield history
        return
    yield [*history, _said("<span class='waiting'>thinking about it …</span>")]
    try:
        words = _words(friend.answer(_plain(history[-1]["content"])))
    except ReframerError as problem:
        words = f"<span class='waiting'>{html.escape(str(problem))}</span>"
    yield [*history, _said(words)]


def _words(answer: Reframe) -> str:
    """Lay out an answer: the words large, below them where they come from."""
    if answer.origin == "untouched":
        return (
            "<p class='quiet'>I hear no hard word against yourself in that. If there is one, "
            "write it as it sounds in your head.</p>"
        )
    paragraphs = "".join(f"<p>{html.escape(part)}</p>" for part in answer.text.split("\n\n"))
    below = "".join(
        f"<div class='source'><p><strong>{html.escape(technique.title)}</strong><br>"
        f"{html.escape(technique.why)}</p><p class='cite'>{html.escape(str(technique.source))}</p>"
        f"<details><summary>A small step</summary><p>{html.escape(technique.step)}</p></details>"
        "</div>"
        for technique in answer.techniques
    )
    return f"<div class='friend'>{paragraphs}</div>{below}"


def _said(content: str) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def _plain(content: object) -> str:
    """Return the text of a message, which gradio hands back as a list of blocks."""
    blocks = content if isinstance(content, list) else [content]
    texts = [block["text"] if isinstance(block, dict) else str(block) for block in blocks]
    return html.unescape("".join(texts))
