"""Several networks of one shape trained at once, as one network with stacked parameters."""

from convexp.replicas.member import Member
from convexp.replicas.reasons import why_not
from convexp.replicas.replicas import Replicas
from convexp.replicas.worthwhile import worthwhile

__all__ = ["Member", "Replicas", "why_not", "worthwhile"]
