"""read_metrics.py URL: reads metrics in OpenMetrics, packed and not, and in Prometheus's own format, as the libraries of Prometheus read
them. Prints the outcomes and traces of the durations' exemplars.
"""

import gzip
import sys
import urllib.request

from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

# As Prometheus 2.45 asks.
OPENMETRICS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


def text(accept, coding):
    request = urllib.request.Request(sys.argv[1], headers={"Accept": accept, "Accept-Encoding": coding})
    with urllib.request.urlopen(request) as reply:
        body = reply.read()
        assert reply.headers["Vary"] == "Accept, Accept-Encoding"
        assert reply.headers.get("Content-Encoding", "identity") == coding
        kind = "application/openmetrics-text; version=1.0.0" if accept == OPENMETRICS else "text/plain; version=0.0.4"
        assert reply.headers["Content-Type"] == f"{kind}; charset=utf-8"
    return (gzip.decompress(body) if coding == "gzip" else body).decode()


def main():
    names = set()
    for coding in ("identity", "gzip"):
        families = list(openmetrics.text_string_to_metric_families(text(OPENMETRICS, coding)))
        plain = list(prometheus.text_string_to_metric_families(text("*/*", coding)))
        names |= {frozenset(family.name for family in each) for each in (families, plain)}
    assert len(names) == 1, "not the same metrics in each format"
    durations = next(family for family in families if family.name == "jobsproxy_request_duration_seconds")
    for sample in durations.samples:
        if sample.exemplar:
            assert 0 <= sample.exemplar.value <= float(sample.labels["le"])
            print(sample.labels["outcome"], sample.exemplar.labels["trace_id"])


main()
