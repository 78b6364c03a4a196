"""The whole app: tabs, looks, and how it is served."""

import logging
import os
import time
from pathlib import Path
from threading import Thread
from typing import Any

import gradio as gr
from gradio.route_utils import FnIndexInferError
from starlette.requests import Request
from starlette.responses import JSONResponse

from memviz.errors import MemvizError
from memviz.io import user_config
from memviz.ui import about, endpoints
from memviz.ui.compare import tab as compare_tab
from memviz.ui.evaluate import tab as evaluate_tab
from memviz.ui.neighbours import tab as neighbours_tab
from memviz.ui.runs import download
from memviz.ui.runs import tab as runs_tab
from memviz.ui.shared import access, assets, served
from memviz.ui.shared.component import module_call
from memviz.ui.shared.gate import GuardedBlocks
from memviz.ui.shared.live import Live
from memviz.ui.train import tab as train_tab
from memviz.ui.transition import tab as transition_tab

HERE = Path(__file__).parent
SHEETS = ("shared/page", "compare/player", "transition/transition", "neighbours/neighbours",
          "train/train", "evaluate/evaluate", "runs/runs")  # fmt: skip
STYLES = [HERE / f"{name}.css" for name in SHEETS]
FONTS = ["ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]
# Gradio prefixes a style sheet with the page's inner frame: what is to reach the outer one stands
# here. Without a width the row of tabs, measured on one line, would widen a small screen's page.
FRAME = """<style>
.gradio-container { width: 100%; }
.gradio-container .main { max-width: 100vw; box-sizing: border-box; }
@media (max-width: 640px) { .gradio-container .main.fillable { padding: 12px 14px !important; } }
</style>"""
CACHE = (3_600, 86_400)  # seconds between two looks at uploads, and the age they may have
PUBLIC_CACHE = (600, 3_600)
IDLE = 0.02  # seconds between two looks at the queue; Gradio's 0.001 costs a tenth of a core
CLEANING = 600.0  # seconds between two looks at what is too old or too much
PUBLIC_DAYS, PUBLIC_BYTES = 7.0, 5 * 10**9  # of runs, searches and pictures of a public page
log = logging.getLogger("memviz.ui")
TITLE = """
<h1>See a diffusion model copy its training data</h1>
"""


def theme() -> gr.themes.Base:
    """Quiet grays and one blue, with system fonts so that nothing is fetched from elsewhere."""
    base = gr.themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        radius_size="lg",
        font=FONTS,
        font_mono=MONO,
    )
    return base.set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
    )


def build() -> gr.Blocks:
    """All tabs; nothing here imports torch."""
    live, public = Live(), access.public()
    cache = PUBLIC_CACHE if public else CACHE
    with GuardedBlocks(title="memviz", analytics_enabled=False, delete_cache=cache) as demo:
        gr.HTML(TITLE, elem_id="title")
        with gr.Tabs() as tabs:
            with gr.Tab("Compare", id="compare", elem_id="compare-tab"):
                tab = compare_tab.build(live)
            with gr.Tab("Transition", id="transition") as sweeps:
                sweep = transition_tab.build(live, demo, sweeps)
            with gr.Tab("Neighbours", id="neighbours") as near:
                neighbours_tab.build(near, demo)
            with gr.Tab("Train", id="train", elem_id="train-tab") as training:
                train_tab.build(training, demo, tab, live)
            with gr.Tab("Evaluate", id="evaluate", elem_id="evaluate-tab") as evaluations:
                evaluate_tab.build(evaluations, demo, tab, live)
            with gr.Tab("Runs", id="runs") as saved:
                runs_tab.build(saved, tab.form, sweep.controls)
            with gr.Tab("About", id="about"):
                about.build()
        addresses(tabs, demo)
        demo.load(
            compare_tab.opener(live, tab.form),
            None,
            [*tab.outputs, *tab.form.fields],
            concurrency_limit=None,
            **compare_tab.QUIET,
        )
        close_routes(demo)
        endpoints.build(live)
    demo.public = public
    return demo


def close_routes(demo: gr.Blocks) -> None:
    """Take the names of the page's own handlers: "private" ones, too, answer to theirs."""
    for handler in demo.fns.values():
        handler.api_name = None
        handler.api_visibility = "private"


def refuse_name(_: Request, error: Exception) -> JSONResponse:
    """The answer to a call of an endpoint that there is none of."""
    wanted = ", ".join(endpoints.NAMES)
    return JSONResponse({"detail": f"{error}. The endpoints are {wanted}."}, status_code=404)


def addresses(tabs: gr.Tabs, demo: gr.Blocks) -> None:
    """The open tab stands in the page's address, so that a link opens it again."""
    found = [tab for tab in tabs.children if isinstance(tab, gr.Tab)]
    names = {tab.id for tab in found}

    def wanted(request: gr.Request) -> Any:  # noqa: ANN401 - an update or none
        name = request.query_params.get("tab")
        return gr.Tabs(selected=name) if name in names else gr.skip()

    demo.load(wanted, None, tabs, queue=False, **compare_tab.QUIET)
    for tab in found:
        tab.select(
            None,
            None,
            None,
            js=module_call("shared/tabs.js", "rememberTab", str(tab.id)),
            **compare_tab.QUIET,
        )


def launch(demo: gr.Blocks | None = None, **options: Any) -> str:  # noqa: ANN401 - of Gradio
    """Serve the app, return its address.

    Pictures of runs and searches and small ones of jobs are served, and no other files. A page
    that was laid out for this machine alone is laid out anew where `options` open it to others.
    """
    access.serve(options)
    if demo is None or getattr(demo, "public", None) != access.public():
        demo = build()
    if access.public():
        forget_token()
    for root in served.roots().values():
        root.mkdir(parents=True, exist_ok=True)
    fixed: dict[str, Any] = {
        "theme": theme(),
        "css_paths": STYLES,
        "head": FRAME + assets.preloads("compare", "shared"),
        "app_kwargs": {
            "routes": [assets.route(), served.route(), download.route()],
            "exception_handlers": {FnIndexInferError: refuse_name},
        },
        "mcp_server": True if os.environ.get("SPACE_ID") else None,  # None: $GRADIO_MCP_SERVER
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "share": False,
        "footer_links": [],
        "max_file_size": "10mb",
        "server_name": os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"),
    }
    Thread(target=keep_in_order, daemon=True).start()
    demo.queue(max_size=32)
    demo._queue.sleep_when_free = demo._queue.progress_update_sleep_when_free = IDLE
    _, url, _ = demo.launch(**{**fixed, **options})
    return url


def keep_in_order() -> None:
    """Hold runs, searches and jobs within their caps: a public page's, or the owner's settings.

    What was deleted a while ago goes for good.
    """
    from memviz import upkeep
    from memviz.runs import trash

    days, most = (PUBLIC_DAYS, PUBLIC_BYTES) if access.public() else user_config.read_caps()
    while True:
        try:
            trash.empty_trash()
            if days is not None or most is not None:
                for entry in upkeep.choose_old(upkeep.list_entries(), days, most):
                    upkeep.remove_entry(entry)
        except (MemvizError, OSError) as error:
            log.warning("the data folder could not be cleaned: %s", error)
        time.sleep(CLEANING)


def forget_token() -> None:
    """The owner's token of the hub is never used for a visitor."""
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_IMPLICIT_TOKEN = True
