"""The two pictures of the gallery, from the report of ``convexp-train study=three_layers``.

    python scripts/site/screenshots.py

It needs Chromium and playwright, and writes ``docs/assets/gallery_*.png``.
"""

import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "outputs" / "studies" / "three_layers" / "report.html"
PICTURES = ROOT / "docs" / "assets"


def main() -> None:
    """Open the report, take both pictures, and make them small."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 780}, color_scheme="light")
        page.goto(REPORT.as_uri())
        page.screenshot(path=PICTURES / "gallery_report.png")
        section = page.locator("#playground")
        for slider, pixels in enumerate((2, 1)):  # right, down
            section.locator("input[type=range]").nth(slider).fill(str(pixels))
        section.get_by_text("Trying all shifts").first.wait_for(state="hidden")
        section.screenshot(path=PICTURES / "gallery_playground.png")
        browser.close()
    for name in ("gallery_report.png", "gallery_playground.png"):
        Image.open(PICTURES / name).convert("RGB").quantize(160).save(PICTURES / name, optimize=True)


if __name__ == "__main__":
    main()
