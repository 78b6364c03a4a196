"""Start the app: `python app.py`, or as a Space."""

from memviz.ui.app import build, launch

demo = build()

if __name__ == "__main__":
    launch(demo)
