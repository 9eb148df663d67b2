"""Several networks of one shape trained at once, as one network with stacked parameters."""

from convexp.replicas.member import Member
from convexp.replicas.network import has_parts
from convexp.replicas.reasons import why_not
from convexp.replicas.replicas import Replicas
from convexp.replicas.worthwhile import worthwhile

__all__ = ["Member", "Replicas", "has_parts", "why_not", "worthwhile"]
