"""Puts the frames of a recording together, by day and by night: `python assemble.py FRAMES FOLDER`, with Pillow.

For who has asked for less motion, one frame stands alone, too.
"""
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Sequence

from PIL import Image

SCHEMES = ("light", "dark")
#: Narrower than it was shot, and still sharp where README shows it.
WIDTH = 1080
#: The frame that stands for all: the session's life.
STILL = 5
#: All files together, in bytes.
MOST_BYTES = 1_500_000


def shown(file: Path) -> Any:
    image = Image.open(file).convert("RGB")
    return image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)


def animated(frames: Sequence[Any], milliseconds: Sequence[int], file: Path) -> None:
    first, *rest = frames
    # Mixed: what changes is kept without loss where that is smaller, so that nothing of the frame before shines through.
    first.save(file, save_all=True, append_images=rest, duration=list(milliseconds), loop=0, quality=80, method=4,
               minimize_size=True, allow_mixed=True)


def main() -> int:
    source, target = map(Path, sys.argv[1:])
    frames = json.loads((source / "frames.json").read_text("utf-8"))
    target.mkdir(parents=True, exist_ok=True)
    made = []
    for scheme in SCHEMES:
        images = [shown(source / f"{frame['name']}-{scheme}.png") for frame in frames]
        made += [target / f"recording-{scheme}.webp", target / f"still-{scheme}.webp"]
        animated(images, [frame["milliseconds"] for frame in frames], made[-2])
        images[STILL].save(made[-1], quality=80, method=6)
    size = sum(file.stat().st_size for file in made)
    seconds = sum(frame["milliseconds"] for frame in frames) / 1000
    print(f"recording: {len(frames)} frames, {seconds:.0f} s, {size} bytes in {', '.join(file.name for file in made)}")
    if size > MOST_BYTES:
        print(f"recording: more than {MOST_BYTES} bytes: fewer frames, or a smaller WIDTH", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
