"""Three programs that know what an API and metrics must be like, by one name: schemathesis ARGS, validator FILE, metrics URL TOKEN."""

import sys
import urllib.request

what, sys.argv = sys.argv[1], [sys.argv[1], *sys.argv[2:]]
if what == "schemathesis":
    from schemathesis.cli import schemathesis

    schemathesis()
elif what == "validator":
    from openapi_spec_validator.__main__ import main

    main()
else:
    from prometheus_client.parser import text_string_to_metric_families

    request = urllib.request.Request(sys.argv[1], headers={"Authorization": f"Bearer {sys.argv[2]}"})
    with urllib.request.urlopen(request) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    for family in families:
        assert family.documentation and family.type in ("gauge", "counter"), family
        for sample in family.samples:
            print(f"{sample.name}{sample.labels} {sample.value}")
