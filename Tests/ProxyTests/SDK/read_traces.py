"""read_traces.py FILE: reads lines of OTLP in JSON, as a collector's file exporter writes them, by the published definitions of
the protocol, strictly. Prints how many spans of how many traces they are, and of which service.
"""

import base64
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}


def with_base64(value):
    """OTLP writes ids as hexadecimal digits, the JSON of Protocol Buffers as Base64; all else is the same."""
    if isinstance(value, list):
        return [with_base64(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: encoded(name, each) if name in IDS else with_base64(each) for name, each in value.items()}


def encoded(name, digits):
    octets = bytes.fromhex(digits)
    assert len(octets) == IDS[name] and any(octets) and digits == digits.lower(), f"{name}: {digits}"
    return base64.b64encode(octets).decode()


def main():
    spans, services = [], set()
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            request = ExportTraceServiceRequest()
            # Unknown members, numbers for texts and the like are errors.
            json_format.ParseDict(with_base64(json.loads(line)), request, ignore_unknown_fields=False)
            for resource in request.resource_spans:
                services |= {a.value.string_value for a in resource.resource.attributes if a.key == "service.name"}
                for scope in resource.scope_spans:
                    spans += scope.spans
    for span in spans:
        assert span.name and span.kind in (Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)
        assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano
        assert len({attribute.key for attribute in span.attributes}) == len(span.attributes)
        assert all(attribute.value.WhichOneof("value") for attribute in span.attributes)
    ids = {span.span_id for span in spans}
    assert len(ids) == len(spans)
    roots = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
    assert all(span in roots or span.parent_span_id in ids for span in spans)
    traces = {span.trace_id for span in spans}
    print(f"{len(spans)} spans of {len(traces)} trace{'s' * (len(traces) != 1)}, from {', '.join(sorted(services))}")


main()
