"""The arguments of Lightning's Trainer, and those that convexp passes itself."""

import ast
from functools import cache

from convexp.config.signatures.signature import Signature, signature_of_method
from convexp.config.signatures.source import find_definition

MODULE = "pytorch_lightning.trainer.trainer"

# Arguments that are no settings, each with the reason and what to use in their place.
REFUSED = {
    "sync_batchnorm": "trainer=ddp does it on GPUs",
    "use_distributed_sampler": "the order of the images depends on seed and epoch only, and processes share every batch",
    "plugins": "convexp chooses them; trainer.precision sets the number format",
    "logger": "use the group logger, as in logger=[tensorboard,csv]",
    "callbacks": "use the section callbacks, as in +callbacks.mine._target_=package.Class",
    "default_root_dir": "use hydra.run.dir=FOLDER, or outputs=FOLDER for all runs",
    "enable_checkpointing": "the best and the last checkpoint are always written; trainer.fast_dev_run=true writes none",
    "enable_progress_bar": "there is a bar where somebody watches, and a line for each epoch elsewhere",
    "barebones": "convexp needs checkpoints and metrics; to measure the cost of a step use trainer.profiler=simple",
    "reload_dataloaders_every_n_epochs": "images are shifted and augmented anew in every epoch already",
    "enable_autolog_hparams": "convexp gives its settings to the loggers; logger=none has none",
    "model_registry": "convexp writes checkpoints to the folder of the run",
    "max_time": "a training that is ended by the clock cannot be repeated; use trainer.max_epochs or trainer.max_steps",
    "limit_test_batches": "the test uses all test images, so that results can be compared",
    "limit_predict_batches": "nothing is predicted; probes have max_images",
}


@cache
def trainer_signature() -> Signature:
    """The signature of Lightning's Trainer as its source code has it, without the arguments of ``REFUSED``."""
    definition = find_definition(MODULE, "Trainer")
    assert definition is not None
    assert isinstance(definition[1], ast.ClassDef)
    init = next(node for node in definition[1].body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    found = signature_of_method(init, MODULE, ast.get_docstring(init))
    schemas = {name: schema for name, schema in found.schemas.items() if name not in REFUSED}
    return Signature(schemas, frozenset(), False, found.meanings)
