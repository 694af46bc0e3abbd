"""What a cluster is made of, as the command's options and a Serve config file's `args` name it."""

from __future__ import annotations

from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

NAMESPACE: Final = "ugatit"
"""Of the actors in Ray."""
APPLICATION: Final = "ugatit"
"""The Serve application that keeps an application for each version of a bundle."""
DEPLOYER: Final = "Deployer"
"""Its only deployment."""


class ClusterOptions(BaseModel):
    """How many replicas each direction has, and what each of them may use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    replicas: int = Field(1, ge=1, le=1000, description="Replicas of each direction.")
    max_replicas: int | None = Field(
        None, ge=1, le=1000, description="With it, Serve scales from `replicas` up to so many by their load."
    )
    replica_cpus: float = Field(0, ge=0, description="Cores that Ray reserves for a replica.")
    replica_gpus: float = Field(0, ge=0, description="GPUs of a replica; 0.5 lets two share one.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_replicas is not None and self.max_replicas < self.replicas:
            raise ValueError(
                f"max_replicas must be at least replicas ({self.replicas}), got {self.max_replicas}."
            )
        if self.replica_gpus > 1 and self.replica_gpus % 1:
            raise ValueError(
                f"replica_gpus must be a share of one GPU, or a whole number, got {self.replica_gpus:g}."
            )
        return self
