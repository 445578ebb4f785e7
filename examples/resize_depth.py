"""Depth that goes through the same resize, crop and flip as its image: import `augment_depth`, or run it for a picture.

python resize_depth.py depth/scene-0001.h5 CAM_FRONT 704x396 out.png
"""

import sys

import numpy as np


def resize_depth(depth_m: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Depth (H,W) at a smaller (width, height): the nearest known depth of the pixels that each small one stands for.

    Do not interpolate: between a car and the wall behind it there is nothing. 0 stays unknown.
    """
    (width, height), (rows, columns) = size, depth_m.shape
    row, column = np.nonzero(depth_m)
    z = depth_m[row, column]
    out = np.full((height, width), np.inf, depth_m.dtype)
    # By where a pixel's centre lies.
    np.minimum.at(out, ((2 * row + 1) * height // (2 * rows), (2 * column + 1) * width // (2 * columns)), z)
    return np.where(np.isinf(out), 0, out)


def augment_depth(
    depth_m: np.ndarray, K: np.ndarray, size: tuple[int, int], crop: tuple[int, int, int, int], flip: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Depth and K after the image was resized to `size`, cropped to (left, top, right, bottom), and mirrored or not."""
    rows, columns = depth_m.shape
    left, top, right, bottom = crop
    # Pixel centres are integers: the image spans -0.5 to columns - 0.5.
    sx, sy = size[0] / columns, size[1] / rows
    A = np.array([[sx, 0, 0.5 * sx - 0.5 - left], [0, sy, 0.5 * sy - 0.5 - top], [0, 0, 1.0]])
    depth_m = resize_depth(depth_m, size)[top:bottom, left:right]
    if flip:
        A = np.array([[-1, 0, right - left - 1.0], [0, 1, 0], [0, 0, 1]]) @ A
        depth_m = depth_m[:, ::-1]
    return depth_m, A @ K


if __name__ == "__main__":
    import cv2
    import h5py

    store, channel, size, out = sys.argv[1:]
    with h5py.File(store) as file:
        image = file[next(iter(file))][channel]
        small = resize_depth(image["depth"][:] / np.float32(256), tuple(map(int, size.split("x"))))
    cv2.imwrite(out, np.rint(small * 256).astype(np.uint16))
    print(f"{out}: {np.count_nonzero(small)} of {small.size} pixels have depth")
