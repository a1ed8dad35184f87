"""The chat page. The only rooms that import gradio."""
