"""A depth store as a whole: a folder with one file a scene."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from densegt.depth.file_identity import FileIdentity
from densegt.depth.store import ImageRecord, SceneReader, scene_files
from densegt.errors import InputError


class DepthStore:
    """The images of a depth store, by scene, keyframe and camera.

    >>> store = DepthStore("depth")
    >>> store.scene_names
    ['scene-0001']
    >>> sample_token, channel = store.images("scene-0001")[0]
    >>> store.read("scene-0001", sample_token, channel).depth_m.dtype
    dtype('float32')

    Raises:
        InputError: no such folder, or no depth in it.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.scene_names = [file.stem for file in scene_files(self.path)]

    def images(self, scene: str) -> list[tuple[str, str]]:
        """Sample token and channel of a scene's images, in order of time."""
        return self.scene(scene).keys

    def read(self, scene: str, sample_token: str, channel: str) -> ImageRecord:
        """One image: depth_m (H,W) float32 m, 0 = unknown; source, K, T_global_cam and further layers.

        Raises:
            InputError: there is no such image, or it is damaged.
        """
        return self.scene(scene).read(sample_token, channel)

    def scene(self, name: str) -> SceneReader:
        """One scene's file.

        Raises:
            InputError: there is none of that name, or it is damaged.
        """
        if name not in self.scene_names:
            raise InputError(f"{self.path}: no scene {name!r}; there is {', '.join(self.scene_names[:5])}")
        path = self.path / f"{name}.h5"
        return _reader(path, FileIdentity.of(path))

    def __len__(self) -> int:
        """How many images there are."""
        return sum(len(self.images(name)) for name in self.scene_names)

    def __iter__(self) -> Iterator[ImageRecord]:
        for name in self.scene_names:
            yield from self.scene(name)

    def __repr__(self) -> str:
        return f"DepthStore({str(self.path)!r}: {len(self.scene_names)} scenes)"


@lru_cache(maxsize=64)
def _reader(path: Path, identity: FileIdentity | None) -> SceneReader:
    """A file's reader; of one that is made again there is another."""
    return SceneReader(path, identity)
