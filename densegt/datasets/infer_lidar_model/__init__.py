"""Which model a recording's lidar follows, told from its stamps, its points and the cameras that its beam triggers."""

from densegt.datasets.infer_lidar_model.evidence import Finding, LidarModelEvidence, Sureness
from densegt.datasets.infer_lidar_model.infer import infer_lidar_model, infer_lidar_models, sweeps_to_read

__all__ = ["Finding", "LidarModelEvidence", "Sureness", "infer_lidar_model", "infer_lidar_models", "sweeps_to_read"]
