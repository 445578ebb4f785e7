"""The depth store: a folder with one HDF5 file a scene, readable by plain h5py.

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

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Camera
from densegt.depth.attributes import camera_attributes, distortion, inside, integer, matrix, text
from densegt.depth.chunk_places import ChunkPlace, chunk_places, read_chunks
from densegt.depth.depth_map import DepthMap
from densegt.depth.encoding_thread import EncodingThread
from densegt.depth.file_identity import FileIdentity
from densegt.depth.hdf5_file import WholeFile, attributes_of, datasets_of, group_of, made_from, opened, set_attributes
from densegt.depth.layer_codec import FILTERS, EncodedLayer, encode_layers
from densegt.depth.read_layer import check_layers, read_layer
from densegt.depth.steps import decode_depth, stored_layers
from densegt.errors import InputError
from densegt.geometry.distortion import Distortion
from densegt.suggestion import no_such_folder

FORMAT = "densegt-depth"


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


class SceneWriter(WholeFile):
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
        attributes = made_from(config, input_digest, inferred)
        super().__init__(Path(folder) / f"{scene}.h5", FORMAT, attributes, overwrite=overwrite)

    def __enter__(self) -> Self:
        super().__enter__()
        self._encoding: EncodingThread[Camera, list[EncodedLayer]] = EncodingThread()
        return self

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
        set_attributes(group, camera_attributes(camera))
        self._sink.check()

    def _complete(self) -> None:
        for camera, encoded in self._encoding.rest():
            self._store(camera, encoded)

    def _stop(self) -> None:
        self._encoding.stop()


def _check_shapes(camera: Camera, layers: Mapping[str, NDArray[Any]]) -> None:
    for name, layer in layers.items():
        if layer.shape != (camera.height_px, camera.width_px):
            raise ValueError(
                f"{camera.channel}: layer {name} is {layer.shape}, image {camera.height_px, camera.width_px}"
            )


def scene_files(folder: Path) -> list[Path]:
    """The store's files in order of name.

    Raises:
        InputError: the folder is missing or holds no `.h5`.
    """
    if not Path(folder).is_dir():
        raise InputError(f"{no_such_folder(Path(folder))}; a depth store is a folder of <scene>.h5")
    files = sorted(p for p in Path(folder).glob("*.h5") if not p.name.startswith("."))
    if not files:
        inside = sorted({path.parent for path in Path(folder).glob("*/*.h5")})
        meant = f"; did you mean {inside[0]}?" if inside else ""
        raise InputError(f"{folder}: no .h5 file in it; `densegt accumulate --out {folder}` writes one a scene{meant}")
    return files


_ALWAYS = frozenset({"depth", "source"})
_NOTHING: NDArray[Any] = np.empty((0, 0))


class _KnownPlaces(NamedTuple):
    """An image that was read and checked once: all of it but its layers, their names, and places of those read."""

    record: ImageRecord
    names: frozenset[str]
    places: Mapping[str, ChunkPlace]


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
        with opened(self.path, (FORMAT,), identity=self.identity) as (file, header):
            self.config = header.config
            stamps = {
                (sample, channel): integer(attributes_of(group_of(group_of(file, sample), channel)), "timestamp_us")
                for sample in file
                for channel in group_of(file, sample)
            }
        self.keys: list[tuple[str, str]] = sorted(stamps, key=lambda k: (stamps[k], k))
        self._known = frozenset(stamps)
        self._known_places: dict[tuple[str, str], _KnownPlaces] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._known

    def __iter__(self) -> Iterator[ImageRecord]:
        for sample_token, channel in self.keys:
            yield self.read(sample_token, channel)

    def read(self, sample_token: str, channel: str, *, layers: Collection[str] | None = None) -> ImageRecord:
        """One image with all its layers, or with those of the further ones that are named and there.

        Raises:
            InputError: no such image here, its data is damaged, or the file was replaced.
        """
        if (sample_token, channel) not in self._known:
            raise InputError(f"{self.path}: no image {sample_token}/{channel} in it")
        known = self._known_places.get((sample_token, channel))
        again = None if known is None else self._read_again(known, layers)
        if again is not None:
            return again
        with opened(self.path, (FORMAT,), f"{sample_token}/{channel}: ", self.identity) as (file, _):
            group = group_of(group_of(file, sample_token), channel)
            attributes = attributes_of(group)
            data = datasets_of(group)
            check_layers(list(data.items()))
            depth = read_layer(data["depth"], "depth", np.uint16)
            source = read_layer(data["source"], "source", np.uint8, shape=depth.shape)
            wanted = data.keys() - _ALWAYS if layers is None else data.keys() & set(layers)
            further = {name: read_layer(data[name], name, shape=depth.shape) for name in data if name in wanted}
            record = ImageRecord(
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
                layers=further,
            )
            places = chunk_places({name: data[name] for name in ("depth", "source", *further)})
        if places is not None:
            bare = replace(record, depth_m=_NOTHING, source=_NOTHING, layers={})
            self._known_places[sample_token, channel] = _KnownPlaces(bare, frozenset(data), places)
        return record

    def _read_again(self, known: _KnownPlaces, layers: Collection[str] | None) -> ImageRecord | None:
        """An image that was read before; None where it is to be read, or refused, by way of HDF5."""
        further = known.names - _ALWAYS if layers is None else known.names & set(layers)
        if not further <= known.places.keys():
            return None
        places = {name: place for name, place in known.places.items() if name in _ALWAYS or name in further}
        found = read_chunks(self.path, places, self.identity)
        if found is None:
            return None
        depth, source = decode_depth(found.pop("depth")), found.pop("source")
        return replace(known.record, depth_m=depth, source=source, layers=found)
