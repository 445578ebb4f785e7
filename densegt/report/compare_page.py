"""A page about two stores: tables beside each other, and pictures of the places where they differ most."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np

import densegt
from densegt.datasets.absent_images import has_no_images
from densegt.depth.camera_image import read_image
from densegt.depth.compare import FIGURES, Comparison, Paired, setting_in_words
from densegt.depth.matching import known, tolerance_m
from densegt.depth.partial_file import write_whole
from densegt.depth.places import Place
from densegt.depth.store import ImageRecord, SceneReader
from densegt.report import draw
from densegt.report.content import css
from densegt.report.tiles import picture_uri

# Of what is shown of an image, in px; small squares are enlarged to it.
PICTURE_PX = 288
AGREES, A_NEARER, B_NEARER, ONLY_A, ONLY_B = (
    (62, 110, 82),
    (240, 150, 60),
    (70, 145, 235),
    (200, 180, 90),
    (150, 90, 200),
)
LESS_IS_MORE = {"outliers %", "MAE m", "RMSE m"}


def write_compare_page(
    found: Comparison, out: Path, stores: tuple[Path, Path], truth_dir: Path | None, image_root: Path | None
) -> None:
    """Write the page, replacing an older one.

    Args:
        stores: A and B.
        image_root: folder that images are relative to; None shows depth alone.

    Raises:
        InputError: an image is missing or damaged.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figure"] = lambda x, digits=2: "–" if x is None else f"{x:.{digits}f}"  # noqa: RUF001
    environment.filters["signed"] = lambda x: "–" if x is None else f"{x:+.2f}"  # noqa: RUF001
    environment.filters["verdict"] = verdict
    environment.filters["setting"] = setting_in_words
    template = environment.from_string(files("densegt.report").joinpath("compare.html.j2").read_text("utf-8"))
    page = template.render(
        found=found, a=str(stores[0]), b=str(stores[1]), truth=str(truth_dir or ""), version=densegt.__version__,
        names=list(FIGURES), legend=_legend(truth_dir is not None),
        places=[(place, _pictures(place, (*stores, truth_dir), image_root)) for place in found.places],
    )  # fmt: skip
    write_whole(out, page.encode())


def verdict(pair: Paired, name: str) -> str:
    """Class of a table's cell: whether B is better or worse by more than rounding shows."""
    gain = pair.difference
    if gain is None or abs(gain) < 0.005:
        return ""
    return "better" if (gain < 0) == (name in LESS_IS_MORE) else "worse"


def difference_picture(a_m: draw.Float32, b_m: draw.Float32) -> draw.Picture:
    """Where two depth maps (H,W) agree, which is nearer where they do not, and what but one knows."""
    has_a, has_b = known(a_m), known(b_m)
    picture = np.empty((*a_m.shape, 3), dtype=np.uint8)
    picture[:] = draw.NOTHING
    picture[has_a & ~has_b], picture[has_b & ~has_a] = ONLY_A, ONLY_B
    both = has_a & has_b
    apart = both & (np.abs(np.where(both, a_m - b_m, 0)) > tolerance_m(np.where(both, np.minimum(a_m, b_m), 0)))
    picture[both] = AGREES
    picture[apart & (a_m < b_m)], picture[apart & (b_m < a_m)] = A_NEARER, B_NEARER
    return picture


def _pictures(place: Place, folders: tuple[Path, Path, Path | None], image_root: Path | None) -> list[tuple[str, str]]:
    """Heading and data URI of each picture of a place."""
    readers = [SceneReader(folder / f"{place.scene}.h5") for folder in folders if folder]
    a, b, *truth = (reader.read(place.sample_token, place.channel) for reader in readers)
    here = (slice(place.row, place.row + place.height), slice(place.column, place.column + place.width))
    pictures: dict[str, draw.Picture] = {}
    image = _image(image_root, a)
    if image is not None:
        pictures["image"] = image
    pictures |= {"A": draw.colour_depth(a.depth_m), "B": draw.colour_depth(b.depth_m)}
    pictures["A against B"] = difference_picture(a.depth_m, b.depth_m)
    if truth:
        exact_m = truth[0].depth_m
        pictures["ground truth"] = draw.colour_depth(exact_m)
        pictures["error of A"] = draw.error_picture(a.depth_m, exact_m)
        pictures["error of B"] = draw.error_picture(b.depth_m, exact_m)
    times = max(1, round(PICTURE_PX / max(place.width, 1)))
    return [(title, picture_uri(_enlarged(picture[here], times))) for title, picture in pictures.items()]


def _enlarged(picture: draw.Picture, times: int) -> draw.Picture:
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def _image(image_root: Path | None, record: ImageRecord) -> draw.Picture | None:
    """The camera's image in RGB at the depth map's size; None where it is not to be shown."""
    import cv2

    if image_root is None or has_no_images(image_root, record.filename):
        return None
    image = read_image(image_root / record.filename, record.distortion)
    height, width = record.depth_m.shape
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _legend(with_truth: bool) -> list[tuple[str, str]]:
    found = [
        (css(AGREES), "A and B agree"),
        (css(A_NEARER), "A is nearer"),
        (css(B_NEARER), "B is nearer"),
        (css(ONLY_A), "only A knows a depth"),
        (css(ONLY_B), "only B knows a depth"),
    ]
    if with_truth:
        found += [
            (css(draw.RIGHT), "right"),
            (css(draw.TOO_FAR[1]), "too far"),
            (css(draw.TOO_NEAR[1]), "too near"),
            (css(draw.FALSE_POSITIVE), "false positive: depth where there is no surface"),
            (css(draw.NOT_PREDICTED), "no depth, but a surface"),
        ]
    return found
