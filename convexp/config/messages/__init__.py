"""One-line messages about mistakes in the configuration: pydantic's, Hydra's and OmegaConf's errors explained."""
