"""``resume=DIR trainer.max_epochs=N``: an interrupted or a finished run goes on to another number of epochs."""

from convexp.cli.resume import MAX_EPOCHS
from convexp.config import Config, parse_config
from convexp.errors import ConfigError
from convexp.machine.environment import now
from convexp.records import RunFolder, RunRecord, identity_hash
from convexp.records.record import ExtensionRecord
from convexp.records.settings import lookup, where_data_lay_first
from convexp.terminal.words import plural


def extend(folder: RunFolder, config: Config) -> ExtensionRecord | None:
    """Let the run in a locked folder continue with the number of epochs of ``config``, if it has another one.

    Nothing is written.

    Args:
        folder: The folder, which holds the run that is resumed.
        config: The configuration of the folder with the number of epochs that is wanted.

    Returns:
        What is recorded of it; None if the number of epochs is the run's own.

    Raises:
        ConfigError: if the run with that number of epochs would not have begun as this one has.
    """
    record = folder.previous
    extension = extension_of(record, config)
    if record is not None and extension is not None:
        folder.continue_as(_identity(record, config), extension)
    return extension


def extension_of(record: RunRecord | None, config: Config) -> ExtensionRecord | None:
    """Return what is recorded of a run that continues with the number of epochs of ``config``; None if it has that already.

    Args:
        record: The record of the run that is resumed; None if it has none.
        config: Its configuration with the number of epochs that is wanted.

    Raises:
        ConfigError: if the run with that number of epochs would not have begun as this one has.
    """
    before = lookup(record.config, MAX_EPOCHS) if record else config.trainer.max_epochs
    if record is None or record.identity is None or before == config.trainer.max_epochs:
        return None
    _check_extendable(record, config, before)
    finished = record.metrics if record.is_finished else {}
    return ExtensionRecord(
        from_epochs=before,
        to_epochs=config.trainer.max_epochs,
        at=now(),
        identity=record.identity,
        metrics=finished,
    )


def _check_extendable(record: RunRecord, config: Config, before: int) -> None:
    setting, done = f"{MAX_EPOCHS}={config.trainer.max_epochs}", int(record.metrics.get("epochs", 0))
    if config.only_costs:
        raise ConfigError(f"{setting}: this run counts costs and trains nothing; leave it out")
    if record.is_finished and done < before:
        raise ConfigError(
            f"{setting}: this run was stopped after {done} of {plural(before, 'epoch')}, and would be again; leave it out"
        )
    if config.trainer.max_epochs < done:
        raise ConfigError(f"{setting}: this run has done {plural(done, 'epoch')}; should be more")
    if config.scheduler is not None:
        raise ConfigError(
            f"{setting}: the learning rates of this run are a schedule over its {plural(before, 'epoch')}, and a run of "
            "another length would have begun with others; train a new run, with scheduler=none if it may have to go on later"
        )


def _identity(record: RunRecord, config: Config) -> str:
    """The identity that the run would have if it had been started with its new number of epochs, where its data lay then."""
    values = where_data_lay_first(config.model_dump(by_alias=True), record.config)
    return identity_hash(parse_config(values).identity())
