"""Checkpoints as files: under their name they are whole at any moment, and the one before is kept."""

from __future__ import annotations

import os
import pickle
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from densegt.depth.partial_file import partial_path, remove_partial_files
from densegt.errors import InputError


def kept_before(path: Path) -> Path:
    """Where the checkpoint that one replaced is kept."""
    return path.with_name(f"{path.name}.before")


def load_checkpoint_file(path: Path) -> dict[str, Any]:
    """What a checkpoint holds, on the processor; nothing but tensors and plain values is read.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    # A named pipe would be waited for.
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    if _is_compressed(path):
        raise InputError(f"{path}: cannot be read; it is compressed, as torch writes none")
    try:
        loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except pickle.UnpicklingError:
        raise InputError(f"{path}: cannot be read; it is damaged, or holds more than plain values") from None
    except Exception:  # a cut-off file may raise anything; torch's own words may be advice to load it all the same
        raise InputError(f"{path}: cannot be read; it is cut off or no checkpoint") from None
    return loaded


def _is_compressed(path: Path) -> bool:
    """Whether an archive holds more than its own bytes: a small one could ask for any memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


class WholeCheckpointIO(TorchCheckpointIO):
    """Lightning's reader and writer of checkpoints, but for files that appear whole, whatever TMPDIR is."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write beside, flush, keep what is there, rename.

        Raises:
            OSError: the folder is full or cannot be written to; what was there stays.
        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        for name in (path, kept_before(path)):
            remove_partial_files(name)
        partial = partial_path(path)
        try:
            _write(checkpoint, partial)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
        with suppress(FileNotFoundError):
            _link(path, kept_before(path))
        os.replace(partial, path)
        _sync_folder(path.parent)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """See `load_checkpoint_file`."""
        return load_checkpoint_file(Path(path))


class _Output:
    """A file to write to, which remembers its first error: torch hides it behind one of its own."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """As a file's."""
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = self.error or error
            raise

    def flush(self) -> None:
        """As a file's."""
        self._file.flush()


def _write(checkpoint: dict[str, Any], path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        output = _Output(file)
        try:
            torch.save(checkpoint, output)  # type: ignore[arg-type]
        except RuntimeError:
            if output.error is None:
                raise
            raise OSError(output.error.errno, output.error.strerror, str(path.parent)) from None
        os.fsync(file.fileno())


def _link(path: Path, before: Path) -> None:
    """Have a second name for the same file; on file systems without links none."""
    fresh = partial_path(before)
    try:
        os.link(path, fresh)
    except FileNotFoundError:
        raise
    except OSError:
        return
    os.replace(fresh, before)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
