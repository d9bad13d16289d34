import sklearn.cluster
from threadpoolctl import threadpool_limits


class KMeans:
    def __init__(self, *, n_clusters, n_init, random_state, output_type):
        assert output_type == "numpy"
        self._kmeans = sklearn.cluster.KMeans(
            n_clusters, n_init=n_init, random_state=random_state
        )

    def fit(self, points):
        with threadpool_limits(limits=1):
            return self._kmeans.fit(points)
