"""The values that a setting may have: from the schema, or from the signature of the ``_target_`` beside it."""

from omegaconf import DictConfig, OmegaConf

from convexp.config.instantiate import TARGET
from convexp.config.schema import Config, Evaluation, Probing
from convexp.config.signatures.annotations import ValueSchema
from convexp.config.signatures.signature import Signature, read_signature
from convexp.config.signatures.trainer import trainer_signature
from convexp.config.signatures.value_types import list_values


def complete_values(cfg: DictConfig, setting: str) -> list[str]:
    """The values of a setting for TAB completion; an empty list if they cannot be enumerated."""
    return list_values(value_schema(cfg, setting))


def value_schema(cfg: DictConfig, setting: str) -> ValueSchema:
    """The JSON schema of the values of ``setting``; empty if it is not known."""
    section = setting.partition(".")[0]
    kind = next((kind for kind in (Config, Probing, Evaluation) if section in kind.model_fields), Probing)
    root: ValueSchema = kind.model_json_schema()
    node = root
    for part in setting.split("."):
        node = _resolve(node, root)
        properties, others = node.get("properties", {}), node.get("additionalProperties")
        if part not in properties and not isinstance(others, dict):
            signature = read_signature_beside(cfg, setting)
            return signature.schemas.get(setting.rpartition(".")[2], {}) if signature else {}
        node = properties.get(part, others)
    return _resolve(node, root)


def _resolve(node: ValueSchema, root: ValueSchema) -> ValueSchema:
    """Follow a reference to a definition in ``root``; of a section that may also be null, take the section.

    Of a section of several kinds, such as ``model``, take the settings of all.
    """
    if "oneOf" in node:
        kinds = [_resolve(kind, root) for kind in node["oneOf"]]
        return {"properties": {name: values for kind in kinds for name, values in kind["properties"].items()}}
    for each in [node, *node.get("anyOf", [])]:
        if "$ref" in each:
            return root["$defs"][each["$ref"].rpartition("/")[2]]
        if isinstance(each.get("additionalProperties"), dict):
            return each
    return node


def read_signature_beside(cfg: DictConfig, setting: str) -> Signature | None:
    """The signature of the ``_target_`` in the same section as ``setting``; None if there is none or it cannot be read.

    The settings of the section ``trainer`` are arguments of Lightning's Trainer. Those of a group of parameters are arguments
    of the optimizer.
    """
    if setting.startswith("trainer."):
        return trainer_signature()
    section = "optimizer" if setting.startswith("optimizer.groups.") else setting.rpartition(".")[0]
    target = OmegaConf.select(cfg, f"{section}.{TARGET}") if section else None
    try:
        return read_signature(target) if isinstance(target, str) else None
    except LookupError:
        return None
