"""What the environment says of the processes that train together: who started this one, and which it is. No torch."""

from __future__ import annotations

from collections.abc import Mapping

from latentlab.core.errors import OptionError
from training.config import TrainingConfig


def is_first(environment: Mapping[str, str]) -> bool:
    """Whether this is the process that writes and prints; one that nobody started for others is."""
    if "RANK" in environment:
        return environment["RANK"] == "0"
    return environment.get("LOCAL_RANK", "0") == "0" and environment.get("NODE_RANK", "0") == "0"


def started_by_torchrun(environment: Mapping[str, str]) -> bool:
    return "RANK" in environment and "LOCAL_WORLD_SIZE" in environment


def wanted(config: TrainingConfig, environment: Mapping[str, str]) -> tuple[int, int]:
    """(processes on this machine, machines); torchrun's where it started this one. Raises OptionError."""
    if started_by_torchrun(environment):
        devices = int(environment["LOCAL_WORLD_SIZE"])
        nodes = int(environment["WORLD_SIZE"]) // devices
        if config.devices not in (1, devices) or config.nodes not in (1, nodes):
            raise OptionError(
                f"torchrun started {devices} processes on {nodes} machines, --devices {config.devices} --nodes "
                f"{config.nodes} asks for others; leave both out."
            )
        return devices, nodes
    if config.nodes > 1 and not {"MASTER_ADDR", "SLURM_NTASKS"} & environment.keys():
        raise OptionError(
            f"--nodes {config.nodes}: start the command on every machine with torchrun --nnodes {config.nodes} "
            f"--nproc-per-node {config.devices} --rdzv-backend c10d --rdzv-endpoint HOST:29500 -m training.cli …"
        )
    return config.devices, config.nodes
