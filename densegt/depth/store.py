"""The depth store: a folder with one HDF5 file a scene, readable by plain h5py. The only file that imports h5py.

<scene name>.h5
  attributes: format, format_version, densegt_version, config (JSON), input (digest of what it was made from),
              inferred (JSON: each lidar's model, and from what it is known),
              set_aside (JSON: what was bad in the recording and left out; where something was)
  /<sample_token>/<CHANNEL>/depth       uint16 (H,W)  metres x 256, rounded; 0 = none
  /<sample_token>/<CHANNEL>/source      uint8  (H,W)  codes of `Source`
  /<sample_token>/<CHANNEL>/age         int16  (H,W)  milliseconds from exposure to the measurement
  /<sample_token>/<CHANNEL>/confidence  uint8  (H,W)  probability x 255 that the depth is right; where somebody says
  attributes of the image's group: sample_data_token, filename, timestamp_us, K, T_global_cam; distortion (JSON) where
                                   the image in its file has some

All that is read has a checksum: HDF5's own for its structures (which its formats before 1.10 lack) and for pixels, and
`text_crc32` beside text attributes, the CRC-32 of "name NUL value NUL" in order of name, as HDF5 has none for them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

import densegt
from densegt.datasets.scene import Camera
from densegt.depth.attributes import (
    Attributes,
    camera_attributes,
    distortion,
    inside,
    integer,
    matrix,
    refuse,
    text,
    text_crc,
)
from densegt.depth.depth_map import DepthMap
from densegt.depth.encoding_thread import EncodingThread
from densegt.depth.file_identity import FileIdentity
from densegt.depth.guarded import GuardedFile
from densegt.depth.layer_codec import FILTERS, EncodedLayer, encode_layers
from densegt.depth.partial_file import partial_path, sync_folder
from densegt.depth.read_layer import check_layers, read_layer
from densegt.depth.sink import Sink
from densegt.depth.steps import decode_depth, stored_layers
from densegt.errors import InputError
from densegt.geometry.distortion import Distortion

FORMAT = "densegt-depth"
FORMAT_VERSION = 1

# Its structures have checksums, and h5py from 3.15 on keeps the time of writing out of them.
_LIBRARY = ("v110", "v110")
_TEXT_CRC = "text_crc32"
# What h5py and the conversions here make of files that are damaged or something else.
_DAMAGE = (
    KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, RuntimeError, OverflowError, MemoryError
)  # fmt: skip


@dataclass(frozen=True)
class ImageRecord:
    """One image of a store.

    Attributes:
        depth_m: (H,W) float32, 0 = none.
        source: (H,W) uint8.
        layers: further layers by name, as stored (`age` in ms, `object_id`, ...).
        K: (3,3) px, of the undistorted image; T_global_cam: (4,4).
        distortion: of the image in its file, which depth and K do not have.
    """

    scene: str
    sample_token: str
    channel: str
    sample_data_token: str
    filename: str
    timestamp_us: int
    K: NDArray[np.float64]
    T_global_cam: NDArray[np.float64]
    depth_m: NDArray[np.float32]
    source: NDArray[np.uint8]
    layers: Mapping[str, NDArray[Any]]
    distortion: Distortion | None = None


class SceneWriter:
    """Writes one scene's file; it appears under its final name only when `with` ends without an error.

    Args:
        config: everything needed to repeat it.
        input_digest: what it is made from, where a later run is to recognise it.
        inferred: what was not given but told from the recording.
    """

    def __init__(
        self,
        folder: Path,
        scene: str,
        config: Mapping[str, Any],
        *,
        input_digest: str | None = None,
        inferred: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path = Path(folder) / f"{scene}.h5"
        if self.path.exists() and not overwrite:
            raise InputError(f"{self.path}: exists already; --overwrite replaces it")
        self._partial = partial_path(self.path)
        self._attributes: dict[str, Any] = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "densegt_version": densegt.__version__,
            "config": json.dumps(config, sort_keys=True),
            **({} if input_digest is None else {"input": input_digest}),
            **({} if inferred is None else {"inferred": json.dumps(inferred, sort_keys=True)}),
        }

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._sink = Sink(self._partial, known_as=self.path)
        self._file = h5py.File(self._sink, "w", libver=_LIBRARY)
        self._encoding: EncodingThread[Camera, list[EncodedLayer]] = EncodingThread()
        _set_attributes(self._file, self._attributes)
        return self

    def set_aside(self, things: Sequence[Mapping[str, Any]]) -> None:
        """Note what was bad in the recording, and that the depth was made without."""
        self._attributes["set_aside"] = json.dumps(things, sort_keys=True)
        _set_attributes(self._file, self._attributes)

    def write(self, camera: Camera, depth: DepthMap, layers: Mapping[str, NDArray[Any]] | None = None) -> None:
        """Add one image with its depth, source, age, confidence where it has one, and any further layers (H,W).

        It is encoded meanwhile and written with one of the next images, or at the end: leave its arrays as they are.
        """
        further = dict(layers or {})
        sure = {} if depth.confidence is None else {"confidence": depth.confidence}
        _check_shapes(camera, {"depth": depth.depth_m, **sure, **further})
        self._put(camera, lambda: {**stored_layers(depth), **further})

    def write_layers(self, camera: Camera, layers: Mapping[str, NDArray[Any]]) -> None:
        """Add one image from layers already in the store's own types; `depth` and `source` must be among them.

        As with `write`, leave the arrays as they are.
        """
        layers = dict(layers)
        _check_shapes(camera, layers)
        self._put(camera, lambda: layers)

    def _put(self, camera: Camera, layers: Callable[[], Mapping[str, NDArray[Any]]]) -> None:
        for done, encoded in self._encoding.put(camera, lambda: encode_layers(layers())):
            self._store(done, encoded)

    def _store(self, camera: Camera, layers: Sequence[EncodedLayer]) -> None:
        group = self._file.create_group(f"{camera.sample_token}/{camera.channel}")
        for name, shape, dtype, chunk in layers:
            stored = group.create_dataset(name, shape, dtype.newbyteorder("<"), chunks=shape, **FILTERS)
            stored.id.write_direct_chunk((0, 0), chunk)
        _set_attributes(group, camera_attributes(camera))
        self._sink.check()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            try:
                if kind is None:
                    for camera, encoded in self._encoding.rest():
                        self._store(camera, encoded)
            finally:
                self._encoding.stop()
                self._file.close()
            if kind is None:
                self._sink.finish()
                os.replace(self._partial, self.path)
                sync_folder(self.path.parent)
        finally:
            self._sink.close()
            self._partial.unlink(missing_ok=True)


def _check_shapes(camera: Camera, layers: Mapping[str, NDArray[Any]]) -> None:
    for name, layer in layers.items():
        if layer.shape != (camera.height_px, camera.width_px):
            raise ValueError(
                f"{camera.channel}: layer {name} is {layer.shape}, image {camera.height_px, camera.width_px}"
            )


def _set_attributes(group: h5py.Group, attributes: Attributes) -> None:
    group.attrs.update(attributes)
    group.attrs[_TEXT_CRC] = text_crc(attributes)


def scene_files(folder: Path) -> list[Path]:
    """The store's files in order of name.

    Raises:
        InputError: the folder is missing or holds no `.h5`.
    """
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder; a depth store is a folder of <scene>.h5")
    files = sorted(p for p in Path(folder).glob("*.h5") if not p.name.startswith("."))
    if not files:
        raise InputError(f"{folder}: no .h5 file in it; `densegt accumulate --out {folder}` writes one a scene")
    return files


@dataclass(frozen=True)
class Header:
    """What a scene's file says about itself.

    Attributes:
        input_digest: of what it was made from; None where it was not noted.
        set_aside: what it was made without, see `densegt.datasets.set_aside`.
    """

    format_version: int
    densegt_version: str
    config: dict[str, Any]
    input_digest: str | None
    set_aside: tuple[dict[str, Any], ...] = ()


def read_header(path: Path) -> Header:
    """How a scene's file was made; no image is read.

    Raises:
        InputError: not a depth store, cut off, damaged, or from a newer densegt.
    """
    with _opened(path) as (_, header):
        return header


class SceneReader:
    """Reads one scene's file, image by image; a file that takes its place meanwhile is an error, not read on.

    Args:
        identity: of the file that is meant, where it was looked at before, perhaps in another process.

    Raises:
        InputError: not a depth store, cut off, damaged, from a newer densegt, or another file than was meant.
    """

    def __init__(self, path: Path, identity: FileIdentity | None = None) -> None:
        self.path = Path(path)
        self.scene = self.path.stem
        self.identity = identity or FileIdentity.of(self.path)
        with _opened(self.path, identity=self.identity) as (file, header):
            self.config = header.config
            stamps = {
                (sample, channel): integer(_attributes(_group(_group(file, sample), channel)), "timestamp_us")
                for sample in file
                for channel in _group(file, sample)
            }
        self.keys: list[tuple[str, str]] = sorted(stamps, key=lambda k: (stamps[k], k))
        self._known = frozenset(stamps)

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._known

    def __iter__(self) -> Iterator[ImageRecord]:
        for sample_token, channel in self.keys:
            yield self.read(sample_token, channel)

    def read(self, sample_token: str, channel: str) -> ImageRecord:
        """One image with all its layers.

        Raises:
            InputError: no such image here, its data is damaged, or the file was replaced.
        """
        if (sample_token, channel) not in self._known:
            raise InputError(f"{self.path}: no image {sample_token}/{channel} in it")
        with _opened(self.path, f"{sample_token}/{channel}: ", self.identity) as (file, _):
            group = _group(_group(file, sample_token), channel)
            attributes = _attributes(group)
            data = _datasets(group)
            depth = read_layer(data.pop("depth"), "depth", np.uint16)
            source = read_layer(data.pop("source"), "source", np.uint8, shape=depth.shape)
            layers = {name: read_layer(layer, name, shape=depth.shape) for name, layer in data.items()}
            return ImageRecord(
                scene=self.scene,
                sample_token=sample_token,
                channel=channel,
                sample_data_token=text(attributes, "sample_data_token"),
                filename=inside(text(attributes, "filename")),
                timestamp_us=integer(attributes, "timestamp_us"),
                K=matrix(attributes, "K", 3),
                T_global_cam=matrix(attributes, "T_global_cam", 4),
                distortion=distortion(attributes),
                depth_m=decode_depth(depth),
                source=source,
                layers=layers,
            )


@contextmanager
def _opened(path: Path, where: str = "", identity: FileIdentity | None = None) -> Iterator[tuple[h5py.File, Header]]:
    """A scene's file and its header; whatever goes wrong in reading it is one line that names the file.

    Args:
        where: in the file, for that line.
        identity: of the file that it should be.
    """
    try:
        if not path.is_file():
            raise InputError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
        raw = GuardedFile(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    try:
        with raw:
            if identity and identity != FileIdentity.of_open(raw.fileno()):
                raise InputError(f"{path}: was replaced while it was read; run it again")
            with _hdf5(path, raw) as file:
                yield file, _header(path, file)
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(f"{path}: {where}damaged or no depth store ({_line(error)}); make it again") from None


def _hdf5(path: Path, raw: GuardedFile) -> h5py.File:
    try:
        return h5py.File(raw, "r")
    except _DAMAGE as error:
        raise InputError(f"{path}: not a readable HDF5 file ({_line(error)}); make it again") from None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _header(path: Path, file: h5py.File) -> Header:
    form = file.attrs.get("format")
    if not isinstance(form, str) or form != FORMAT:
        raise InputError(f"{path}: an HDF5 file, but not a depth store (attribute format is not {FORMAT!r})")
    attributes = _attributes(file)
    version = integer(attributes, "format_version")
    if version > FORMAT_VERSION:
        raise InputError(
            f"{path}: format version {version!r}; this densegt reads up to {FORMAT_VERSION}. Update densegt"
        )
    config = json.loads(text(attributes, "config"))
    if version < 1 or not isinstance(config, dict):
        raise ValueError("format_version is not 1 or more, or config is no JSON object")
    return Header(
        format_version=version,
        densegt_version=text(attributes, "densegt_version"),
        config=config,
        input_digest=text(attributes, "input") if "input" in attributes else None,
        set_aside=tuple(map(dict, json.loads(text(attributes, "set_aside")))) if "set_aside" in attributes else (),
    )


def _attributes(group: h5py.Group) -> Attributes:
    attributes = dict(group.attrs)
    # Older stores have none.
    if _TEXT_CRC in attributes and attributes[_TEXT_CRC] != text_crc(attributes):
        raise ValueError("the text attributes are not what was written")
    return attributes


def _group(parent: h5py.Group, name: str) -> h5py.Group:
    """A group that lies in this file. Its name becomes a folder's in exports."""
    group = _own(parent, inside(name))
    return group if isinstance(group, h5py.Group) else refuse(f"{name} is no group")


def _datasets(group: h5py.Group) -> dict[str, h5py.Dataset]:
    """All layers of an image, none larger than an image's."""
    layers = {name: _own(group, name) for name in group}
    for name, data in layers.items():
        if not isinstance(data, h5py.Dataset) or data.is_virtual or data.external:
            refuse(f"{name} is no dataset in this file")
    check_layers(list(layers.items()))
    return layers


def _own(group: h5py.Group, name: str) -> Any:
    """What is under a name here, unless that leads elsewhere."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        refuse(f"{name} is a link to elsewhere")
    return group[name]
