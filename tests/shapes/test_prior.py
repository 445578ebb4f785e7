"""The shape prior: it learns, it ships small, it describes what it has not seen, it is read with care."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from densegt.errors import InputError
from densegt.shapes.decoder import CODE, ShapeDecoder
from densegt.shapes.prior import ShapePrior
from densegt.shapes.solids import Solids
from densegt.shapes.train import distance_loss, distance_samples, train_prior, vehicles
from densegt.shapes.weights import PRIOR


def test_training_brings_the_error_near_the_surface_down() -> None:
    shapes = vehicles({"car": 2, "bus": 1}, seed=5)
    _, untrained_m = train_prior(shapes, steps=1, seed=0)
    trained, error_m = train_prior(shapes, steps=60, seed=0)
    assert untrained_m > 0.08
    assert error_m < 0.05
    assert trained.families.keys() == {"car", "bus"}
    assert trained.families["bus"].size_lwh_m[0] > trained.families["car"].size_lwh_m[0] + 3


def test_equal_seeds_train_equal_priors() -> None:
    shapes = vehicles({"car": 2}, seed=5)
    a, b = (train_prior(shapes, steps=3, seed=1)[0] for _ in range(2))
    assert np.array_equal(a.families["car"].mean, b.families["car"].mean)


def test_what_ships_is_small_and_describes_a_car_that_it_has_not_seen(prior: ShapePrior, unseen_car: Solids) -> None:
    assert PRIOR.stat().st_size < 500_000
    family = prior.families["car"]
    samples = torch.from_numpy(distance_samples(unseen_car, 2000, np.random.default_rng(0)))
    mean, basis = torch.from_numpy(family.mean).float(), torch.from_numpy(family.basis).float()
    w = torch.zeros(CODE, requires_grad=True)
    optimizer = torch.optim.Adam([w], lr=0.1)
    near = samples[:, 3].abs() < 0.05
    errors = []
    for _ in range(60):
        found = prior.decoder((mean + basis @ w).expand(len(samples), -1), samples[:, :3])
        loss = distance_loss(found, samples[:, 3]).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        errors.append(float((found - samples[:, 3]).abs()[near].mean().detach()))
    # The mean car is a poor description of this one; its own code a good one.
    assert errors[0] > 0.05
    assert errors[-1] < 0.03


def test_shapes_are_symmetric_and_gradients_are_those_of_finite_differences(prior: ShapePrior) -> None:
    decoder = ShapeDecoder().double()
    decoder.load_state_dict({k: v.double() for k, v in prior.decoder.state_dict().items()})
    rng = np.random.default_rng(0)
    xyz = torch.from_numpy(rng.uniform(-2, 2, (6, 3)))
    code = torch.from_numpy(np.tile(prior.families["van"].mean, (6, 1)))
    assert torch.equal(decoder(code, xyz), decoder(code, xyz * torch.tensor([1.0, -1.0, 1.0])))
    assert torch.autograd.gradcheck(decoder, (code.requires_grad_(True), xyz.requires_grad_(True)))


def test_the_slope_is_about_one_near_the_surface(prior: ShapePrior, unseen_car: Solids) -> None:
    xyz = torch.from_numpy(unseen_car.surface(500, np.random.default_rng(0))).float().requires_grad_(True)
    code = torch.from_numpy(prior.families["car"].mean).float().expand(len(xyz), -1)
    (slope,) = torch.autograd.grad(prior.decoder(code, xyz).sum(), xyz)
    assert float(slope.norm(dim=1).median()) == pytest.approx(1.0, abs=0.1)


def test_what_is_saved_is_loaded(prior: ShapePrior, tmp_path: Path) -> None:
    prior.save(tmp_path / "prior.npz")
    again = ShapePrior.load(tmp_path / "prior.npz")
    for name, family in prior.families.items():
        assert np.allclose(again.families[name].basis, family.basis, atol=1e-6)
    xyz, code = torch.rand(5, 3), torch.rand(5, CODE)
    assert torch.equal(again.decoder(code, xyz), prior.decoder(code, xyz))


@pytest.mark.parametrize("damage", ["missing", "text", "empty", "cut", "other", "infinite", "shape"])
def test_a_bad_file_is_one_line_that_names_it(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "prior.npz"
    with np.load(PRIOR) as file:
        arrays = {name: file[name] for name in file.files}
    if damage == "text":
        path.write_text("no npz\n")
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(PRIOR.read_bytes()[:-2000])
    elif damage == "other":
        np.savez(path, depth=np.zeros(3))
    elif damage == "infinite":
        np.savez(path, **{**arrays, "decoder/last.bias": np.array([np.inf])})
    elif damage == "shape":
        np.savez(path, **{**arrays, "family/car/mean": np.zeros(7)})
    with pytest.raises(InputError) as error:
        ShapePrior.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
