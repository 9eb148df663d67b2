"""What a run records of itself in ``result.json``, as types. The reader is ``convexp.records.decode``."""

from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from convexp.machine.environment import GitState, Hardware
from convexp.records.status import RunStatus

FORMAT = 1

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class LayerRecord(Struct, frozen=True):
    """A layer that has parameters.

    Attributes:
        name: Name of the module in the network, such as ``stages.0.wiring``.
        kind: Name of the module's class.
        output_shape: Shape of the output for one image, without the batch dimension.
        parameters: Number of parameters.
        flops: FLOPs of the forward pass for one image; a multiply-add counts as two.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    flops: int


class NetworkRecord(Struct, frozen=True, kw_only=True):
    """The network of a run.

    Attributes:
        parameters: Number of parameters.
        flops: FLOPs of the forward pass for one image; a multiply-add counts as two.
        layers: The layers that have parameters, in order; empty in records that are read for a report.
        width: Factor by which the numbers of channels and hidden units in the configuration were multiplied.
        relaxed_parameters: Number of parameters after ``callbacks.relax`` has replaced layers; None if it has not.
        relaxed_flops: FLOPs of the forward pass then; None if it has not, and in records of earlier versions.
    """

    parameters: int
    flops: int
    layers: tuple[LayerRecord, ...] = ()
    width: float
    relaxed_parameters: int | None = None
    relaxed_flops: int | None = None

    @property
    def tested_parameters(self) -> int:
        """Number of parameters of the network that was tested."""
        return self.parameters if self.relaxed_parameters is None else self.relaxed_parameters

    @property
    def tested_flops(self) -> int:
        """FLOPs of the forward pass of the network that was tested."""
        return self.flops if self.relaxed_flops is None else self.relaxed_flops


class DataRecord(Struct, frozen=True, kw_only=True):
    """The data of a run; all fields are None for a run that read no data.

    Attributes:
        checksum: First 16 hex digits of a checksum of all images and labels.
        split: First 16 hex digits of a checksum of which samples are in which part.
        train: Number of training samples.
        val: Number of validation samples.
        test: Number of test samples.
        mean: Mean of the training pixels per channel, between 0 and 1.
        std: Standard deviation of the training pixels per channel, between 0 and 1.
        notes: What the source of the data notes besides, by name; stands beside the other keys in the file.
    """

    checksum: str | None = None
    split: str | None = None
    train: Count | None = None
    val: Count | None = None
    test: Count | None = None
    mean: list[float] | None = None
    std: list[float] | None = None
    notes: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def images(self) -> str:
        """Both checksums: equal for runs that have the same images in the same parts."""
        return f"{self.checksum} {self.split}"


class Seconds(Struct, frozen=True, kw_only=True):
    """Wall time of the parts of a run, in seconds, over all its starts; None for a part that was not reached.

    Of training steps that are made for several runs at once each has an equal share.

    Attributes:
        setup: Reading the data and building the network.
        fit: Training and validation.
        test: Evaluation of the best checkpoint.
        probes: All probes, those during the training included.
        total: Sum of the parts.
    """

    setup: float | None = None
    fit: float | None = None
    test: float | None = None
    probes: float | None = None
    total: float | None = None


class ProbeRecord(Struct, frozen=True, kw_only=True):
    """What one probe measured, or why it could not.

    Attributes:
        numbers: Its finite numbers by name.
        maps: Its arrays and tables by name, as nested lists and dictionaries.
        protocol: How images were shifted; None if the probe shifts none.
        seconds: How long it took.
        skipped: Why the probe does not apply to the network; None if it was measured.
    """

    numbers: dict[str, float] = field(default_factory=dict[str, float])
    maps: dict[str, Any] = field(default_factory=dict[str, Any])
    protocol: str | None = None
    seconds: float | None = None
    skipped: str | None = None


class EpochRecord(Struct, frozen=True):
    """What the probes measured in the course of the training.

    Attributes:
        epoch: Number of epochs done; 0 is before the training.
        step: Number of training steps done.
        numbers: The finite numbers of all probes, named ``<probe>/<number>``.
    """

    epoch: int
    step: int
    numbers: dict[str, float]


class ExtensionRecord(Struct, frozen=True, kw_only=True):
    """A run went on to another number of epochs than it was begun with.

    Attributes:
        from_epochs: ``trainer.max_epochs`` before.
        to_epochs: ``trainer.max_epochs`` from then on.
        at: When, as ISO 8601 in UTC.
        identity: Identity of the run before.
        metrics: What its record held; empty if it had not finished.
    """

    from_epochs: int
    to_epochs: int
    at: str
    identity: str
    metrics: dict[str, float] = field(default_factory=dict[str, float])


class OriginRecord(Struct, frozen=True, kw_only=True):
    """A finished run was not done in its folder: a sweep took it over from another one (``reuse=true``).

    Attributes:
        folder: The folder in which it was done.
        at: When it was taken over, as ISO 8601 in UTC.
    """

    folder: str
    at: str

    @property
    def sweep(self) -> str:
        """The folder that the run's folder lies in."""
        return str(Path(self.folder).parent)


class RunRecord(Struct, kw_only=True):
    """What ``result.json`` holds, and for a run that is found below a folder, where.

    Attributes:
        state: The status of the run.
        identity: Hash of the settings that can change its result; None if it failed before it could start.
        name: Name of the run.
        seed: Seed of the run.
        extended: How its number of epochs was changed after it had begun; None if it was not.
        taken_over: Where it was done, if a sweep took it over; None if it was done in its folder.
        started: When it was first started, as ISO 8601 in UTC.
        ended: When it last ended, likewise; None while it runs.
        config: The whole configuration; classes and functions that have moved have their new names.
        network: The network; None if it has not been built.
        data: The data.
        loss: How the losses were averaged, ``mean over samples``; None for runs of older versions, which averaged the means of
            batches.
        metrics: Finite numbers by name, such as ``test/acc`` and ``probe/shift_map/mean``.
        too_large: Names of metrics that are left out of ``metrics``, because no mean can be taken of numbers beyond 1e100. Only
            for reports, never written.
        probes: What the probes measured, by name of the probe.
        by_epoch: What they measured in the course of the training; None if the run has no ``probe_every``.
        parameter_groups: Names of the parameters in each group of the optimizer; None if it has no groups.
        test_maps: What the test found beyond single numbers, by name, such as ``confusion``; None if there is nothing.
        versions: Versions of Python and of packages, by name; of code of the user's own, a checksum by the name of each file.
        git: State of the checkout that convexp ran from.
        error: Why it failed, a line or a traceback; for damaged records, what is wrong with the file.
        config_error: Whether a wrong setting is the reason that it failed.
        seconds: How long its parts took.
        hardware: What it ran on; None if it did not get as far as the training.
        path: Its folder, relative to the one in which it was found; empty for a single run. Never written.
    """

    state: RunStatus
    identity: str | None = None
    name: str | None = None
    seed: int | None = None
    extended: list[ExtensionRecord] | None = None
    started: str | None = None
    config: dict[str, Any] | None = None
    network: NetworkRecord | None = None
    data: DataRecord = field(default_factory=DataRecord)
    loss: str | None = None
    metrics: dict[str, float] = field(default_factory=dict[str, float])
    probes: dict[str, ProbeRecord] = field(default_factory=dict[str, ProbeRecord])
    by_epoch: list[EpochRecord] | None = None
    parameter_groups: dict[str, list[str]] | None = None
    test_maps: dict[str, Any] | None = None
    versions: dict[str, str] = field(default_factory=dict[str, str])
    git: GitState = field(default_factory=GitState)
    error: str | None = None
    config_error: bool | None = None
    seconds: Seconds = field(default_factory=Seconds)
    hardware: Hardware | None = None
    ended: str | None = None
    taken_over: OriginRecord | None = None
    too_large: tuple[str, ...] = ()
    path: str = ""

    @property
    def has_wrong_settings(self) -> bool:
        """Whether the run failed before it could start, as a setting is wrong."""
        return self.state is RunStatus.FAILED and self.identity is None and bool(self.config_error)

    @property
    def is_finished(self) -> bool:
        """Whether the run has finished."""
        return self.state is RunStatus.FINISHED
