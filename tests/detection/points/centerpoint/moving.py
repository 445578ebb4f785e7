"""Cars that drive, as several sweeps see them, and a short training on them."""

from __future__ import annotations

import torch

from densegt.detection.points.pseudo_lidar.detector import Boxes
from densegt.detection.points.pseudo_lidar.points import gathered

CAR, PEDESTRIAN = 0, 8


def moving_car(generator):
    """A box of points that is dragged along over four sweeps, its trail telling how fast it is."""
    x, y, vx = torch.rand(3, generator=generator).mul(8).sub(4).tolist()
    age = torch.arange(4).repeat_interleave(30) * 0.1
    spread = (torch.rand(120, 3, generator=generator) - 0.5) * torch.tensor([3.0, 1.6, 1.4])
    xyz = spread + torch.tensor([x, y, 0.7])
    xyz[:, 0] -= vx * age
    box = torch.tensor([x, y, 0.7, 3.0, 1.6, 1.4, 0.0, vx, 0.0])
    return xyz, age, box


def cars(count=8, seed=1):
    """Points and boxes, every other one called a pedestrian."""
    generator = torch.Generator().manual_seed(seed)
    made = [moving_car(generator) for _ in range(count)]
    points = gathered(torch.stack([xyz for xyz, _, _ in made]), torch.stack([age for _, age, _ in made]))
    boxes = torch.stack([box for _, _, box in made]).unsqueeze(1)
    labels = torch.tensor([CAR, PEDESTRIAN] * (count // 2)).unsqueeze(1)
    return points, Boxes(boxes, labels, torch.full((count, 1), -1))


def learn(net, points, truth, steps):
    """Boxes that a network finds in what it learned from."""
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(steps):
        loss = torch.stack(list(net.losses(net(points), truth).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    return net.found(net(points))
