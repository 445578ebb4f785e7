"""A detector's convolutions as a float ONNX model, batch norm folded into them."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from densegt.quantisation.dense_part import DensePart
from densegt.quantisation.missing import require_deploy
from densegt.quantisation.ranges import Inputs

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 20


def float_model(part: DensePart, inputs: Inputs) -> ModelProto:
    """The model for inputs of these shapes.

    Raises:
        InputError: a package of the deploy extra is missing.
    """
    with require_deploy("quantise"):
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    module = copy.deepcopy(part.module).eval()
    fold_batch_norm(module)
    module.eval()
    with _quiet():
        program = torch.onnx.export(
            module, tuple(inputs.values()), dynamo=True, opset_version=OPSET, input_names=list(inputs),
            output_names=list(part.outputs), verbose=False, optimize=True,
        )  # fmt: skip
    assert program is not None
    model: ModelProto = program.model_proto
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del model.graph.value_info[:]
    return model


def fold_batch_norm(module: nn.Module) -> None:
    """Replace each convolution with a batch norm behind it by a convolution that does both."""
    for name, child in module.named_children():
        fold_batch_norm(child)
        if isinstance(child, nn.Sequential):
            folded: list[nn.Module] = []
            for each in child:
                before = folded[-1] if folded else None
                if isinstance(each, nn.BatchNorm2d) and isinstance(before, nn.Conv2d | nn.ConvTranspose2d):
                    transposed = isinstance(before, nn.ConvTranspose2d)
                    folded[-1] = fuse_conv_bn_eval(before, each, transpose=transposed)
                else:
                    folded.append(each)
            setattr(module, name, nn.Sequential(*folded))


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter speaks of packages that it does without, and of torch's own deprecations."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
