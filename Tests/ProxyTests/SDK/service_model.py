"""service_model.py SERVICE: prints botocore's model of a service as JSON."""

import json
import sys

import botocore.loaders

print(json.dumps(botocore.loaders.create_loader().load_service_model(sys.argv[1], "service-2")))
