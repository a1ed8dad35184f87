"""The look: calm colours and the system's own fonts; nothing is fetched.

The colours are variables of page.css, where their light and dark values stand once.
"""

from __future__ import annotations

import gradio as gr


def theme() -> gr.themes.Base:
    """Return Gradio's plainest theme in the page's colours."""
    colours = {
        "body_background_fill": "var(--paper)",
        "body_text_color": "var(--ink)",
        "body_text_color_subdued": "var(--soft)",
        "background_fill_primary": "var(--paper)",
        "background_fill_secondary": "var(--paper)",
        "border_color_primary": "var(--line)",
        "border_color_accent": "var(--leaf)",
        "color_accent_soft": "var(--wash)",
        "block_background_fill": "transparent",
        "block_label_text_color": "var(--ink)",
        "block_title_text_color": "var(--ink)",
        "block_info_text_color": "var(--soft)",
        "input_background_fill": "var(--sheet)",
        "input_border_color": "var(--edge)",
        "input_border_color_focus": "var(--leaf)",
        "input_placeholder_color": "var(--soft)",
        "button_primary_background_fill": "var(--leaf)",
        "button_primary_background_fill_hover": "var(--leaf-deep)",
        "button_primary_text_color": "var(--on-leaf)",
        "button_secondary_background_fill": "transparent",
        "button_secondary_background_fill_hover": "var(--wash)",
        "button_secondary_text_color": "var(--leaf)",
        "button_secondary_border_color": "var(--line)",
        "checkbox_background_color": "var(--sheet)",
        "checkbox_background_color_selected": "var(--leaf)",
        "checkbox_border_color": "var(--edge)",
        "checkbox_border_color_selected": "var(--leaf)",
        "checkbox_label_background_fill": "transparent",
        "checkbox_label_background_fill_hover": "var(--wash)",
        "checkbox_label_background_fill_selected": "var(--wash)",
        "checkbox_label_text_color": "var(--ink)",
        "checkbox_label_text_color_selected": "var(--ink)",
        "link_text_color": "var(--leaf)",
        "link_text_color_visited": "var(--leaf)",
        "link_text_color_hover": "var(--leaf-deep)",
        "link_text_color_active": "var(--leaf-deep)",
    }
    both = {**colours, **{f"{name}_dark": colour for name, colour in colours.items()}}
    base = gr.themes.Base(
        font=("system-ui", "sans-serif"),
        font_mono=("ui-monospace", "monospace"),
        text_size="lg",
        radius_size="md",
    )
    return base.set(
        **both,
        shadow_drop="none",
        shadow_drop_lg="none",
        block_shadow="none",
        block_border_width="0px",
        block_padding="0px",
        input_shadow="none",
        input_shadow_focus="none",
        button_primary_shadow="none",
        button_secondary_shadow="none",
    )
