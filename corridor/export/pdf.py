"""The page as a printed brief, through a Chromium that is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from corridor.errors import OutputError
from corridor.files import unwritable, workspace
from corridor.schema.settings import LANGUAGES

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
_FLAGS = (
    "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--no-pdf-header-footer",
    "--virtual-time-budget=5000", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
_PATIENCE_S = 90


def find_browser() -> str | None:
    """Path of the first Chromium-like browser on the search path, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def require_printing(pdf: Path, browser: str | None = None, language: str | None = None) -> str:
    """What a brief needs, to be asked before anything long is computed for it.

    Args:
        pdf: where the brief is to go, for errors.
        browser: path of Chromium, Chrome or Edge; searched for if left out.
        language: code of a language of the page; its first one if left out.

    Returns:
        The browser's path.

    Raises:
        OutputError: there is no such language or no browser.
    """
    if language is not None and language not in LANGUAGES:
        raise OutputError(f"{pdf}: there is no language '{language}'; choose from {', '.join(LANGUAGES)}")
    program = browser or find_browser()
    if program is None:
        raise OutputError(
            f"{pdf}: printing needs Chromium, Chrome or Edge, and none is installed; install one, or print "
            "comparison.html from another browser"
        )
    return program


def write_pdf(html: Path, pdf: Path, *, browser: str | None = None, language: str | None = None) -> Path:
    """Print a page that :func:`corridor.export.results.write_results` wrote to A4, as a brief of a few pages.

    Args:
        html: the page.
        pdf: where the brief goes; an older one is replaced once the new one is complete.
        browser: path of Chromium, Chrome or Edge; searched for if left out.
        language: code of a language of the page; its first one if left out.

    Returns:
        ``pdf``.

    Raises:
        OutputError: there is no browser, no page, or the browser failed.
    """
    program = require_printing(pdf, browser, language)
    if not html.is_file():
        raise OutputError(f"{html}: there is no such page to print")
    try:
        pdf.parent.mkdir(parents=True, exist_ok=True)
        with workspace(pdf.parent, "brief") as work:
            draft = work / "brief.pdf"
            state = "print" if language is None else f"print&language={language}"
            _print(program, f"{html.resolve().as_uri()}#{state}", draft, work / "profile")
            draft.replace(pdf)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise unwritable(pdf, error, "choose another folder") from error
    return pdf


def _print(program: str, address: str, draft: Path, profile: Path) -> None:
    """Run the browser with a profile of its own, without its sandbox only where it could not start (as root)."""
    last = ""
    for extra in ((), ("--no-sandbox",)):
        command = [program, *_FLAGS, *extra, f"--user-data-dir={profile}", f"--print-to-pdf={draft}", address]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise OutputError(f"{address}: {program} did not finish printing in {_PATIENCE_S} s") from error
        if draft.is_file() and draft.stat().st_size > 0:
            return
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    raise OutputError(f"{address}: {program} could not print it ({last})")
