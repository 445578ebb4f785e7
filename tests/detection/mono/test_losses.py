"""Each loss: its gradient in float64, and that it is least where it should be."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from densegt.detection.mono import losses  # noqa: E402
from densegt.detection.mono.placed import Answer, least_on_rays, place  # noqa: E402

from .things import fan, placed, seen_by_rays, space  # noqa: E402


@pytest.fixture(scope="module")
def cars():
    return space()


def answer(cars, count=2, yaws=2):
    """Numbers of a network, with gradient, that are not in a place where a loss has a kink."""
    torch.manual_seed(1)
    make = lambda *shape: (0.1 * torch.randn(*shape, dtype=torch.float64)).requires_grad_(True)  # noqa: E731
    yaw = (torch.linspace(0.3, 2.0, count * yaws, dtype=torch.float64).view(count, yaws)).requires_grad_(True)
    return Answer(make(count, 3), make(count, 8), yaw, make(count, yaws))


BOX_AB = torch.tensor([[-0.1, 0.15, -0.12, 0.02], [0.0, 0.3, -0.1, 0.0]], dtype=torch.float64)
KIND = torch.zeros(2, dtype=torch.long)


def placed_by(cars, said, *numbers):
    return place(said._replace(place=numbers[0], w=numbers[1], yaw=numbers[2]), KIND, BOX_AB, cars)


@pytest.mark.parametrize("which", [losses.depth_loss, losses.free_space_loss])
def test_gradients_of_the_depth_and_free_space_losses(cars, which):
    said = answer(cars)
    points = placed_by(cars, said, *said[:3]).middle.detach()[:, None] + torch.randn(2, 5, 3, dtype=torch.float64)
    weight = torch.tensor([[1.0, 0.5, 0, 1, 1], [0, 0, 0, 0, 0]], dtype=torch.float64)

    def loss(*numbers):
        at = placed_by(cars, said, *numbers)
        return which(cars.distance(at.code, at.into_shape(points)), weight, torch.tensor([0.15, 0.3]).double())

    assert torch.autograd.gradcheck(loss, said[:3], atol=1e-4)
    assert loss(*said[:3])[1].tolist() == [0, 0]


def test_gradients_of_the_ground_loss(cars):
    said = answer(cars)

    def loss(*numbers):
        at = placed_by(cars, said, *numbers)
        return losses.ground_loss(at.middle[:, 2] - at.size[:, 2] / 2 + 1.5, torch.tensor([9.0, 30.0]), 0.2, 0.03)

    assert torch.autograd.gradcheck(loss, said[:3])


def test_depth_of_something_else_hardly_pulls():
    """The gradient of a point 15 m off is a small part of that of one 0.3 m off."""
    far = torch.tensor([[[15.0]], [[0.3]]], requires_grad=True)
    losses.depth_loss(far, torch.ones(2, 1), torch.full((2,), 0.15)).sum().backward()
    near, off = float(far.grad[1]), float(far.grad[0])
    assert 0 < off < 0.05 * near


def test_what_was_seen_through_is_no_place_for_a_shape(cars):
    """Of a car that is 2 m too near measured points are inside; its surface is near them, but it blocks their rays."""
    at = placed(cars)
    rays = fan(at, 200)
    ranges = seen_by_rays(cars, at, rays)
    met = ranges.isfinite()
    through = (torch.where(met, ranges, 0) * 0.9)[..., None] * rays

    def cost(at):
        distance = cars.distance(at.code, at.into_shape(through))
        return losses.free_space_loss(distance, met.double(), torch.full((2,), 0.15).double())

    near = at._replace(middle=at.middle * (1 - 2 / at.middle.norm(dim=-1, keepdim=True)))
    assert (cost(at) < 0.02).all()
    assert (cost(near) > 0.3).all()


def test_gradients_of_the_silhouette_loss(cars):
    least = torch.tensor([[[-0.3, -0.02, 0.1, 0.4]], [[0.2, -0.1, 0.01, 1.0]]], dtype=torch.float64, requires_grad=True)
    inside, weight = torch.tensor([[1.0, 0, 0, 1]] * 2).double(), torch.tensor([[1.0, 1, 1, 0], [0, 0, 0, 0]]).double()
    soft_m = torch.tensor([0.1, 0.2]).double()
    assert torch.autograd.gradcheck(lambda f: losses.silhouette_loss(f, inside, weight, soft_m), (least,))


def test_gradients_of_the_least_along_rays_are_about_those_of_differences(cars):
    """Not exactly: the place of the least is found by samples, and shapes have edges at which it jumps."""
    at = placed(cars, yaws=2)
    rays = fan(at, 40)
    numbers = [at.middle, at.yaw, torch.zeros(2, 8, dtype=torch.float64)]

    def least(middle, yaw, w):
        return least_on_rays(cars, at._replace(middle=middle, yaw=yaw, code=cars.code(KIND, w)), rays)

    for place_, number in enumerate(numbers):
        torch.manual_seed(place_)
        step = torch.randn_like(number)

        def along(t, place_=place_, step=step):
            return least(*[n + t * step if i == place_ else n for i, n in enumerate(numbers)])

        t = torch.zeros((), dtype=torch.float64, requires_grad=True)
        found = torch.autograd.functional.jacobian(along, t)
        with torch.no_grad():
            wanted = (along(1e-4) - along(-1e-4)) / 2e-4
        off = (found - wanted).abs() / step.norm(dim=-1).max()
        assert float(off.median()) < 0.03
        assert float(off.quantile(0.9)) < 0.2


def test_gradients_of_the_2d_box_size_and_shape_losses(cars):
    said, cut = answer(cars), torch.tensor([[False] * 4, [True, False, False, False]])

    def box(*numbers):
        return losses.box_2d_loss(placed_by(cars, said, *numbers).corners(), BOX_AB, cut, 0.05)

    def size(*numbers):
        at = placed_by(cars, said, *numbers)
        return losses.size_loss(at.size, cars.extent[KIND, :3], cars.sigma[KIND])

    for loss in (box, size, lambda *numbers: losses.shape_loss(numbers[1])):
        assert torch.autograd.gradcheck(loss, said[:3])


def test_gradients_of_the_label_yaw_and_hindsight_losses(cars):
    said = answer(cars)
    boxes = torch.tensor([[11.0, 0.3, -0.5, 4.2, 1.8, 1.5, 0.4], [torch.nan] * 7], dtype=torch.float64)

    def label(*numbers):
        at = placed_by(cars, said, *numbers)
        return losses.label_loss(at.middle, at.size, boxes)

    def yaw(*numbers):
        return losses.yaw_loss(numbers[2], boxes[:, 6])

    for loss in (label, yaw):
        assert torch.autograd.gradcheck(loss, said[:3])
        assert not loss(*said[:3])[1].any()
    cost = torch.tensor([[3.0, 1.0, 2.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda c: losses.mixed(c, losses.hindsight(c), 0.3), (cost,))


def test_hindsight_is_the_least_and_at_first_has_a_part_of_all():
    cost = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 1.0]])
    best = losses.hindsight(cost)
    assert (losses.mixed(cost, best, 0.0).tolist(), best.tolist()) == ([1, 0], [1, 0])
    assert losses.mixed(cost, best, 1.0).tolist() == [2, 2]


@pytest.mark.parametrize("change", ["nearer", "aside", "turned", "longer"])
def test_depth_and_silhouettes_are_best_explained_where_the_car_is(cars, change):
    at = placed(cars)
    rays = fan(at, 300)
    ranges = seen_by_rays(cars, at, rays)
    met = ranges.isfinite()
    points = torch.where(met, ranges, 0)[..., None] * rays

    def costs(at):
        distance = cars.distance(at.code, at.into_shape(points))
        depth = losses.depth_loss(distance, met.double(), torch.full((2,), 0.15).double())
        least = least_on_rays(cars, at, rays)
        ones = torch.ones(met.shape, dtype=torch.float64)
        mask = losses.silhouette_loss(least, met.double(), ones, torch.full((2,), 0.1).double())
        return depth, mask

    moved = {
        "nearer": lambda: at._replace(middle=at.middle * 0.95),
        "aside": lambda: at._replace(middle=at.middle + at.middle.new_tensor([0.0, 0.3, 0.0])),
        "turned": lambda: at._replace(yaw=at.yaw + 0.3),
        "longer": lambda: placed(cars, w=torch.eye(8, dtype=torch.float64)[:1].expand(2, -1) * 1.5),
    }[change]()
    right, wrong = costs(at), costs(moved)
    assert (right[0] < 0.02).all()
    assert (right[0] < wrong[0]).all()
    assert (right[1] < wrong[1]).all()


def test_the_2d_box_costs_nothing_where_it_is_right_or_the_image_ends(cars):
    at = placed(cars)
    ab = at.corners()[:, 0, :, 1:] / at.corners()[:, 0, :, :1]
    box_ab = torch.stack([ab[..., 0].amin(1), ab[..., 0].amax(1), ab[..., 1].amin(1), ab[..., 1].amax(1)], 1)
    whole, cut = torch.zeros(2, 4, dtype=torch.bool), torch.tensor([[True, False, False, False]] * 2)
    assert losses.box_2d_loss(at.corners(), box_ab, whole, 0.05).abs().max() == 0
    smaller = box_ab + torch.tensor([0.1, 0.0, 0.0, 0.0])
    assert (losses.box_2d_loss(at.corners(), smaller, whole, 0.05) > 0).all()
    assert losses.box_2d_loss(at.corners(), smaller, cut, 0.05).abs().max() == 0
    larger = box_ab - torch.tensor([0.1, 0.0, 0.0, 0.0])
    assert (losses.box_2d_loss(at.corners(), larger, cut, 0.05) > 0).all()


def test_the_least_along_rays_is_that_of_many_samples(cars):
    at = placed(cars, yaws=2)
    rays = fan(at, 60)
    found = least_on_rays(cars, at, rays)
    t = torch.linspace(5, 22, 700, dtype=torch.float64)
    with torch.no_grad():
        many = cars.distance(at.code, at.into_shape((t[:, None] * rays[:, :, None]).flatten(1, 2)))
    least = many.view(2, 2, 60, 700).amin(-1)
    assert float((found - least).clamp(max=0.5).abs().quantile(0.95)) < 0.08
    # Where a silhouette is decided.
    assert float(((found < 0) == (least < 0)).double().mean()) > 0.95
