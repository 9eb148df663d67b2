"""Side by side, tests that share a fixture are done by one process: pytest-xdist tells a group by the end of their names."""

import pytest


@pytest.fixture(scope="module")
def shared():
    return object()


def test_a_group_is_known_to_xdist(request, shared):
    side_by_side = request.config.getoption("loadgroup", False)
    assert request.node.nodeid.endswith("@tests/repository/test_grouped.py" if side_by_side else "::" + request.node.name)
