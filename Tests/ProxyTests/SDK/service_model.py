"""service_model.py SERVICE [FILE]: prints botocore's model of a service, or another file of it, as JSON."""

import json
import sys

import botocore.loaders

print(json.dumps(botocore.loaders.create_loader().load_service_model(sys.argv[1], (sys.argv[2:] or ["service-2"])[0])))
