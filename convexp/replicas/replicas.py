"""Training steps of several networks at once."""

from collections.abc import Sequence
from itertools import pairwise
from weakref import WeakSet

from torch import Tensor

from convexp.replicas import reasons
from convexp.replicas.member import Member
from convexp.replicas.stacked import Stacked
from convexp.replicas.worthwhile import AT_ONCE
from convexp.training.captured_passes import cuda_graph
from convexp.training.over_processes import Step
from convexp.training.tasks.task import TaskBatch


class Replicas:
    """Trains the members of a group, whoever they are in each call. It keeps their tensors stacked between calls.

    Each member equals the network trained alone, but for rounding. Between calls it is a network like any other: parameters,
    buffers and the optimizer's state are tensors of its own, which may be read, saved, written and replaced. (They lie next to
    those of the other members in memory, so that nothing is copied at the next call.)
    """

    def __init__(self) -> None:
        self._members: list[Member] = []
        self._blocks: list[Stacked | Member] = []
        self._tried: WeakSet[Member] = WeakSet()

    def why_not(self, members: Sequence[Member], images: Tensor) -> str | None:
        """Say why members cannot be trained at once, as the function ``why_not`` does; None if they can.

        Networks that have been tried are not tried again.
        """
        reason = reasons.why_not(members, None if self._tried.issuperset(members) else images)
        if reason is None:
            self._tried.update(members)
        return reason

    def steps(self, members: Sequence[Member], batches: Sequence[Sequence[TaskBatch]]) -> list[list[Step]]:
        """Train each member on its batches in turn.

        Members that cannot be trained at once, as ``why_not`` says, and batches of different shapes, are trained one after
        another.

        Args:
            members: The members, each with a network, optimizer and schedule of its own, on one device, in training mode.
            batches: For each member its batches, one or more and as many as for every other, on the members' device.

        Returns:
            For each member what each of its batches has given before the step on it, as ``Task.train_on`` returns it.
        """
        if len(members) != len(self._members) or set(members) != set(self._members) or not self._are_whole():
            self._members, self._blocks = list(members), []  # what was stacked is given back first
            self._blocks = self._stack(members, batches[0][0][0])
        given = dict(zip(members, batches, strict=True))  # in whatever order they have come
        found: dict[Member, list[Step]] = {}
        for block in self._blocks:
            own = [block] if isinstance(block, Member) else block.members
            found |= zip(own, _steps(block, [given[member] for member in own]), strict=True)
        return [found[member] for member in members]

    def _stack(self, members: Sequence[Member], images: Tensor) -> list[Stacked | Member]:
        """Cut the members into groups that are stacked, as large as the cache of a CPU allows."""
        if len(members) < 2 or self.why_not(members, images) is not None:
            return list(members)
        device = next(members[0].network.parameters()).device.type
        number = -(-len(members) // AT_ONCE) if device == "cpu" else 1
        cuts = [len(members) * index // number for index in range(number + 1)]
        record = cuda_graph if device == "cuda" and all(member.task.cuda_graph for member in members) else None
        return [Stacked(members[start:end], record) for start, end in pairwise(cuts)]

    def _are_whole(self) -> bool:
        return all(isinstance(block, Member) or block.is_whole() for block in self._blocks)


def _steps(block: Stacked | Member, batches: Sequence[Sequence[TaskBatch]]) -> list[list[Step]]:
    if isinstance(block, Member):
        return [block.steps_alone(batches[0])]
    if _alike(batches):
        return block.steps(batches)
    return [member.steps_alone(own) for member, own in zip(block.members, batches, strict=True)]


def _alike(batches: Sequence[Sequence[TaskBatch]]) -> bool:
    """Whether the batches of all members have the same shapes, one by one."""
    shapes = [[(images.shape, images.dtype, targets.shape, targets.dtype) for images, targets in own] for own in batches]
    return all(own == shapes[0] for own in shapes)
