"""The Gradio app: the only place that imports gradio."""
