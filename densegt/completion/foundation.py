"""`--method prompt-depth-anything`: a pretrained foundation model that takes coarse depth as a prompt.

After H. Lin et al., Prompting Depth Anything for 4K Resolution Accurate Metric Depth Estimation, 2025. The model and
its code are `transformers`'; densegt downloads nothing, it loads what the user has.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.completion.classical import Classical
from densegt.completion.method import CompletedDepth, Method, SparseDepth, measured
from densegt.errors import InputError
from densegt.install_hint import install_command

Float32 = NDArray[np.float32]
NAME = "depth-anything/prompt-depth-anything-vits-hf"
# As the model was trained: sides of the image are multiples of a patch, the prompt is this high.
PATCH_PX, MAX_HEIGHT_PX, PROMPT_HEIGHT_PX = 14, 756, 192
MEAN, DEVIATION = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)
# A prompt of one depth alone cannot be scaled to the model's range.
MIN_RANGE_M = 0.01
MIN_DEPTH_M = 0.1


def open_foundation(checkpoint: Path | None) -> Method:
    """The model of a folder as `save_pretrained` writes it, else the one in Hugging Face's cache.

    Raises:
        InputError: transformers or torch is not installed, or there is no such model on this machine.
    """
    try:
        import_module("torch")
        auto = import_module("transformers").AutoModelForDepthEstimation
    except ImportError as error:
        raise InputError(f"--method prompt-depth-anything: {error}; {install_command('foundation')}") from None
    folder = model_folder(checkpoint)
    try:
        model = auto.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise InputError(f"{folder}: no Prompt Depth Anything model ({str(error).splitlines()[0]})") from None
    if type(model).__name__ != "PromptDepthAnythingForDepthEstimation":
        raise InputError(f"{folder}: a {type(model).__name__}, which takes no depth as a prompt")
    return PromptDepthAnything(model)


def model_folder(checkpoint: Path | None) -> Path:
    """Where the model lies.

    Raises:
        InputError: nowhere.
    """
    if checkpoint is not None:
        if not (checkpoint / "config.json").is_file():
            raise InputError(f"{checkpoint}: no folder with a model's config.json and weights")
        return checkpoint
    try:
        hub = import_module("huggingface_hub")
        return Path(hub.snapshot_download(NAME, local_files_only=True))
    except ImportError as error:
        raise InputError(f"--method prompt-depth-anything: {error}; {install_command('foundation')}") from None
    except (OSError, ValueError):
        raise InputError(f"{NAME} is not on this machine; `hf download {NAME}`, or name its --checkpoint") from None


class PromptDepthAnything:
    """The method: the classical completion, made coarse, is the prompt.

    Measured pixels stay, and sky is what the classical method says. The model tells nothing of its errors: the
    uncertainty is the classical method's together with how far the two are apart.

    Args:
        model: takes pixel_values (1,3,h,w) and prompt_depth (1,1,h',w'), gives predicted_depth (1,h,w).
    """

    def __init__(self, model: Any) -> None:
        self._model = model.eval()
        self._classical = Classical()

    def __call__(self, given: SparseDepth) -> CompletedDepth:
        """Depth wherever there is no open sky; nothing at all where nothing is measured."""
        known, guess = measured(given.depth_m), self._classical(given)
        there = guess.depth_m > 0
        if not known.any() or np.ptp(guess.depth_m[there]) < MIN_RANGE_M:
            return guess
        found_m = np.maximum(self._found(given.image, _without_holes(guess.depth_m)), np.float32(MIN_DEPTH_M))
        depth_m = np.where(known | ~there, guess.depth_m, found_m)
        apart_m = np.where(there, np.abs(depth_m - guess.depth_m), np.float32(0))
        return CompletedDepth(depth_m, np.hypot(guess.uncertainty_m, apart_m))

    def _found(self, image: NDArray[np.uint8], prompt_m: Float32) -> Float32:
        """(H,W) m."""
        import torch

        height_px, width_px = prompt_m.shape
        shrink = min(1.0, MAX_HEIGHT_PX / height_px)
        high, wide = (max(1, round(side * shrink / PATCH_PX)) * PATCH_PX for side in (height_px, width_px))
        small = cv2.resize(image, (wide, high), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        coarse = min(1.0, PROMPT_HEIGHT_PX / height_px)
        size = max(1, round(width_px * coarse)), max(1, round(height_px * coarse))
        prompt = cv2.resize(prompt_m, size, interpolation=cv2.INTER_AREA)
        with torch.inference_mode():
            pixels = torch.from_numpy(((small - MEAN) / DEVIATION).transpose(2, 0, 1)[None])
            found = self._model(pixel_values=pixels, prompt_depth=torch.from_numpy(prompt[None, None])).predicted_depth
        return np.asarray(cv2.resize(found[0].numpy(), (width_px, height_px), interpolation=cv2.INTER_LINEAR))


def _without_holes(depth_m: Float32) -> Float32:
    """What is open sky takes the farthest depth there is."""
    return np.where(depth_m > 0, depth_m, depth_m.max())
