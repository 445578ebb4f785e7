"""A step of an mmdetection3d pipeline (1.x) that adds dense depth to what LoadMultiViewImageFromFiles has loaded.

In the configuration, after the images are loaded; twice is not needed for resized ones, see `img_aug_matrix`:

    custom_imports = dict(imports=["mmdet3d_dense_depth"])
    train_pipeline = [
        dict(type="LoadMultiViewImageFromFiles", to_float32=True, num_views=6),
        dict(type="ImageAug3D", ...),
        dict(type="LoadDenseDepth", store="depth"),
        ...
        dict(type="Pack3DDetInputs", keys=["img", "gt_depth", ...]),
    ]

It reads the stock keys: `token`, `filename`, `img`, and where images were augmented `img_aug_matrix`.
"""

from pathlib import Path

import h5py
import numpy as np

try:
    from mmdet3d.registry import TRANSFORMS

    register = TRANSFORMS.register_module()
except ImportError:  # to try it without mmdetection3d

    def register(cls):
        """Leaves the class as it is."""
        return cls


@register
class LoadDenseDepth:
    """Adds `gt_depth` (V,H,W) float32, metres, 0 = unknown, at the size and in the order of `img`."""

    def __init__(self, store):
        self.store = Path(store)
        self.file_of = {}

    def __call__(self, results):
        """The results with `gt_depth`."""
        images = self._images(results["token"])
        names = [Path(name).name for name in results["filename"]]
        matrices = results.get("img_aug_matrix") or [np.eye(4)] * len(names)
        depths = [
            warped(images[name], np.asarray(matrix), image.shape[:2])
            for name, matrix, image in zip(names, matrices, results["img"], strict=True)
        ]
        results["gt_depth"] = np.stack(depths)
        return results

    def _images(self, token):
        """Depth (H,W) in metres by the image's file name, of one keyframe."""
        with h5py.File(self._file(token)) as file:
            return {
                Path(image.attrs["filename"]).name: image["depth"][:].astype(np.float32) / 256
                for image in file[token].values()
            }

    def _file(self, token):
        """The scene's file; the infos of mmdetection3d name keyframes, not scenes."""
        if not self.file_of:
            for path in sorted(self.store.glob("*.h5")):
                with h5py.File(path) as file:
                    self.file_of.update(dict.fromkeys(file, path))
        if token not in self.file_of:
            raise KeyError(f"{self.store}: no keyframe {token}; is it a store of these scenes?")
        return self.file_of[token]


def warped(depth_m, img_aug_matrix, shape):
    """Depth (H,W) in an augmented image of this shape: where pixels land on one another the nearest stays.

    Args:
        img_aug_matrix: (4,4), from pixels of the image as recorded to those of the augmented one.
    """
    row, column = np.nonzero(depth_m)
    z = depth_m[row, column]
    moved = img_aug_matrix[:2, :2] @ np.stack([column + 0.5, row + 0.5]) + img_aug_matrix[:2, 3:4]
    column, row = np.floor(moved).astype(np.int64)
    inside = (column >= 0) & (row >= 0) & (column < shape[1]) & (row < shape[0])
    out = np.full(shape, np.inf, np.float32)
    np.minimum.at(out, (row[inside], column[inside]), z[inside])
    return np.where(np.isinf(out), np.float32(0), out)
