"""Where the samples of a camera lie: rays through the cells of its feature map, points at depths along them."""

from __future__ import annotations

import torch
from torch import Tensor

from densegt.detection.bev.grid import BevGrid


def feature_uv(height: int, width: int, *, stride: int) -> Tensor:
    """(h,w,2) float64 u, v in px of the image that the network sees, at the centres of the feature map's cells.

    Pixel centres are integers, so cell 0 spans pixels 0 to stride - 1 and its centre lies at (stride - 1) / 2.
    """
    v, u = (torch.arange(cells, dtype=torch.float64) * stride + (stride - 1) / 2 for cells in (height, width))
    return torch.stack(torch.meshgrid(u, v, indexing="xy"), -1)


def rays_ref(uv: Tensor, K: Tensor, T_ref_cam: Tensor) -> Tensor:
    """Direction in ref of each pixel, scaled to one metre of z-depth.

    Args:
        uv: (h,w,2), or (B,V,h,w,2) where every image has its own, px.
        K: (B,V,3,3) of the image that the network sees; it may be any invertible one, for its augmentation is in it.
        T_ref_cam: (B,V,4,4), with any augmentation of the bird's-eye view in it.

    Returns:
        (B,V,h,w,3) float64.
    """
    to_ref = T_ref_cam[..., :3, :3].double() @ torch.linalg.inv(K.double())
    across, down, ahead = to_ref[:, :, None, None].unbind(-1)
    # Element by element: products of matrices may round differently for another shape of uv.
    rays: Tensor = across * uv[..., :1].double() + down * uv[..., 1:].double() + ahead
    return rays


def sample_cells(grid: BevGrid, depth_m: Tensor, uv: Tensor, K: Tensor, T_ref_cam: Tensor) -> Tensor:
    """Cell of the bird's-eye view in which each sample lies.

    Args:
        depth_m: (D,), the same on every ray, or (B,V,D,h,w); z-depth.
        uv, K, T_ref_cam: as for `rays_ref`.

    Returns:
        (B,V,D,h,w) int64, NO_CELL outside the grid.
    """
    rays = rays_ref(uv, K, T_ref_cam).movedim(-1, 0).unsqueeze(3)
    along = depth_m.double().reshape(-1, 1, 1) if depth_m.dim() == 1 else depth_m.double()
    origin = T_ref_cam[..., :3, 3].double().movedim(-1, 0)[..., None, None, None]
    x, y, z = (ray * along + start for ray, start in zip(rays, origin, strict=True))
    return grid.cell(x, y, z)
