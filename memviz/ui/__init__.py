"""The Gradio app, a package for each tab: the only place that imports gradio.

May import everything but `cli` and `demo`; of `training` only what can be asked.
"""

from memviz.ui import stub_skip

stub_skip.install()  # before any module here imports gradio
