"""What the app imports before it can answer."""

import subprocess
import sys

CODE = """
import sys
import memviz.ui
import gradio.component_meta as meta
found = []
meta.extract_class_source_code = lambda *args: found.append(args) or (None, None)
import memviz.ui.app
class Mine(meta.__dict__["ComponentMeta"]("Mine", (), {"EVENTS": ["change"]})): EVENTS = []
demo = memviz.ui.app.build()
heavy = {"torch", "diffusers", "transformers", "scipy.stats", "plotly", "faiss"}
print(len(found), *sorted(heavy & {*sys.modules}))
"""


def test_the_app_is_laid_out_without_type_stubs_and_without_anything_heavy():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0"]
