"""A nuScenes version folder, scene by scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from densegt.datasets.nuscenes import rows
from densegt.datasets.nuscenes.columns import SceneRows
from densegt.datasets.nuscenes.index import Index, Recipe, UnusableIndexError, sources
from densegt.datasets.nuscenes.index_location import SMALL_BYTES, build, index_candidates, open_or_build
from densegt.datasets.nuscenes.split_by_scene import split_by_scene
from densegt.datasets.nuscenes.table_loader import TABLES, absent_label_tables, load_tables
from densegt.errors import InputError


class Tables:
    """Reads scene.json at once; the other tables, or the index made of them, on first use.

    `index` is the file that holds the index; None chooses by size and by `index_candidates`.
    """

    def __init__(self, folder: Path, index: Path | None = None) -> None:
        self.folder = folder
        self._index_path = index

    def __reduce__(self) -> tuple[type[Tables], tuple[Path, Path | None]]:
        # What is mapped into memory stays behind when this goes to another process.
        return Tables, (self.folder, self._index_path)

    def path(self, table: str) -> Path:
        """File of a table."""
        return self.folder / f"{table}.json"

    @cached_property
    def scene_names(self) -> list[str]:
        """Names in the order of scene.json."""
        return [r.name for r in rows.read_rows(self.path("scene"), rows.SceneRow)]

    @cached_property
    def absent_label_tables(self) -> list[str]:
        """See `densegt.datasets.nuscenes.table_loader`."""
        return absent_label_tables(self.folder)

    def steps(self, scene: int) -> int:
        """How many sweeps to read and keyframe images to write a scene has."""
        return self._index.entry(scene).steps

    def keyframes(self, scene: int) -> int:
        """How many samples a scene has."""
        return self._index.entry(scene).keyframes

    def scene_rows(self, scene: int) -> SceneRows:
        """What a scene (by its number in scene.json) takes from the tables.

        Raises:
            InputError: a table is missing or damaged, or a token leads nowhere.
        """
        try:
            return self._index.read(scene)
        except UnusableIndexError:
            self._index = self._opened(build)
        try:
            return self._index.read(scene)
        except UnusableIndexError as error:
            raise InputError(f"{error}; it was just made anew: is the disk sound?") from None

    @cached_property
    def _index(self) -> Index:
        return self._opened(open_or_build)

    def _opened(self, opening: Callable[[Path, list[Path], Recipe], Index]) -> Index:
        made_of = sources(self.folder, TABLES)
        if self._index_path:
            candidates = [self._index_path]
        else:
            candidates = index_candidates(self.folder) if sum(s.size for s in made_of) > SMALL_BYTES else []
        return opening(self.folder, candidates, Recipe(made_of, self.scene_names, self._make))

    def _make(self) -> Iterator[SceneRows]:
        whole = load_tables(self.folder)
        if whole.scene_names != self.scene_names:
            raise InputError(f"{self.path('scene')}: changed while it was read; try again")
        return split_by_scene(whole)
