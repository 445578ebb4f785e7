"""Meshes of shapes, to look at."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from densegt.shapes.decoder import ShapeDecoder

Float64 = NDArray[np.float64]

# Rows from pole to pole, columns about; samples along each line, and halvings after them.
ROWS, COLUMNS, SAMPLES, HALVINGS = 33, 64, 24, 8


def mesh(decoder: ShapeDecoder, code: Float64, size_lwh_m: Float64) -> tuple[Float64, NDArray[np.int32]]:
    """Vertices (N,3) m in the shape frame and triangles (M,3), outwards: where lines from its middle leave the shape.

    Args:
        size_lwh_m: (3,) about the shape's size; beyond it nothing is looked for.
    """
    half = np.array([*size_lwh_m[:2] / 2, size_lwh_m[2] / 2])
    middle = np.array([0.0, 0.0, half[2]])
    down = np.linspace(0, np.pi, ROWS)[:, None]
    about = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)[None]
    away = np.stack(np.broadcast_arrays(np.sin(down) * np.cos(about), np.sin(down) * np.sin(about), np.cos(down)), -1)
    reach = away.reshape(-1, 3) * half / np.abs(away.reshape(-1, 3)).max(axis=1, keepdims=True) * 1.15

    def outside(share: Float64) -> NDArray[np.bool_]:
        xyz = torch.from_numpy(middle + share[:, None] * reach).float()
        with torch.no_grad():
            f: Float64 = decoder(torch.from_numpy(code).float().expand(len(xyz), -1), xyz).double().numpy()
        return f > 0

    shares = np.linspace(1.0, 0.0, SAMPLES)
    first = np.stack([outside(np.full(len(reach), share)) for share in shares])
    inner = np.where(first.all(axis=0), SAMPLES - 1, first.argmin(axis=0))
    low, high = shares[inner], shares[np.maximum(inner - 1, 0)]
    for _ in range(HALVINGS):
        between = (low + high) / 2
        out = outside(between)
        low, high = np.where(out, low, between), np.where(out, between, high)
    return middle + ((low + high) / 2)[:, None] * reach, _faces()


def _faces() -> NDArray[np.int32]:
    row, column = np.meshgrid(np.arange(ROWS - 1), np.arange(COLUMNS), indexing="ij")
    a, b = row * COLUMNS + column, row * COLUMNS + (column + 1) % COLUMNS
    quads = np.stack([a, a + COLUMNS, b + COLUMNS, b], -1).reshape(-1, 4)
    out: NDArray[np.int32] = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    return out


def outline(decoder: ShapeDecoder, code: Float64, size_lwh_m: Float64, every: int = 4) -> Float64:
    """Ends (2L,3) m of lines over the mesh, along every so many of its rows and columns."""
    vertices = mesh(decoder, code, size_lwh_m)[0].reshape(ROWS, COLUMNS, 3)
    around = np.stack([vertices, np.roll(vertices, -1, axis=1)], 2)[::every]
    down = np.stack([vertices[:-1], vertices[1:]], 2)[:, ::every]
    out: Float64 = np.concatenate([around.reshape(-1, 3), down.reshape(-1, 3)])
    return out


def write_ply(path: Path, vertices: Float64, faces: NDArray[np.int32]) -> None:
    """Write a mesh as binary PLY; a file under its final name is whole."""
    from densegt.depth.partial_file import write_whole

    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(vertices)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = np.zeros(len(faces), dtype=[("n", "u1"), ("v", "<i4", 3)])
    rows["n"], rows["v"] = 3, faces
    write_whole(path, header.encode() + vertices.astype("<f4").tobytes() + rows.tobytes())


def write_glb(path: Path, vertices: Float64, faces: NDArray[np.int32]) -> None:
    """Write a mesh as binary glTF 2.0, up along y as glTF has it; a file under its final name is whole."""
    from densegt.depth.partial_file import write_whole

    xyz, corners = vertices.astype("<f4"), faces.astype("<u4")
    body = xyz.tobytes() + corners.tobytes()
    sizes = (xyz.nbytes, corners.nbytes)
    said = {
        "asset": {"version": "2.0", "generator": "densegt"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        # A quarter turn about x carries z, up here, to y.
        "nodes": [{"mesh": 0, "rotation": [-float(np.sqrt(0.5)), 0.0, 0.0, float(np.sqrt(0.5))]}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "buffers": [{"byteLength": len(body)}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": sizes[0], "target": 34962},
            {"buffer": 0, "byteOffset": sizes[0], "byteLength": sizes[1], "target": 34963},
        ],
        "accessors": [
            {
                "bufferView": 0, "componentType": 5126, "count": len(xyz), "type": "VEC3",
                "min": xyz.min(axis=0).tolist(), "max": xyz.max(axis=0).tolist(),
            },
            {"bufferView": 1, "componentType": 5125, "count": corners.size, "type": "SCALAR"},
        ],
    }  # fmt: skip
    text = json.dumps(said).encode()
    # Chunks end at multiples of four bytes; numbers of four bytes do so by themselves.
    text += b" " * (-len(text) % 4)
    whole = 12 + 8 + len(text) + 8 + len(body)
    head = struct.pack("<4sII", b"glTF", 2, whole) + struct.pack("<I4s", len(text), b"JSON")
    write_whole(path, head + text + struct.pack("<I4s", len(body), b"BIN\0") + body)
