"""A depth store in plain PyTorch, without densegt: images and depth of every keyframe camera.

python pytorch_store.py depth /data/nuscenes
"""

import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


class DepthStore(Dataset):
    """Samples: image (3,H,W) in 0 to 1, depth_m (H,W) with 0 = unknown, source (H,W), K (3,3), T_global_cam (4,4)."""

    def __init__(self, store: str, dataroot: str) -> None:
        self.dataroot = Path(dataroot)
        self.keys = []
        for path in sorted(Path(store).glob("*.h5")):
            with h5py.File(path) as file:
                self.keys += [(path, f"{sample}/{channel}") for sample in file for channel in file[sample]]

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, i: int) -> dict:
        path, key = self.keys[i]
        # Opened in the worker: processes that are forked with an open file would share its position.
        with h5py.File(path) as file:
            group = file[key]
            image = cv2.imread(str(self.dataroot / group.attrs["filename"]))
            return {
                "image": torch.from_numpy(image[..., ::-1].transpose(2, 0, 1).astype(np.float32) / 255),
                "depth_m": torch.from_numpy(group["depth"][:].astype(np.float32) / 256),
                "source": torch.from_numpy(group["source"][:]),
                "K": torch.from_numpy(group.attrs["K"]),
                "T_global_cam": torch.from_numpy(group.attrs["T_global_cam"]),
            }


if __name__ == "__main__":
    data = DepthStore(*sys.argv[1:3])
    batch = next(iter(DataLoader(data, batch_size=2, shuffle=True)))
    known = batch["depth_m"] > 0
    print(f"{len(data)} images; a batch: {tuple(batch['image'].shape)}, {known.float().mean():.0%} of the pixels known")
