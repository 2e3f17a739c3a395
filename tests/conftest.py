"""What several rooms of the tests share because it takes long to start."""

from collections.abc import Iterator

import pytest

from fleet_simulation.postgres import ServerError
from tests.clusters import ClusterBench


@pytest.fixture(scope="session")
def broker_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterBench]:
    """Three RabbitMQ nodes, started once, as they were provisioned; a test that ends a node starts it again."""
    try:
        bench = ClusterBench(tmp_path_factory.mktemp("site"))
    except ServerError as error:
        pytest.skip(str(error))
    with bench.cluster:
        yield bench
