"""Prints the credentials that botocore finds in this environment: key id, secret, token, and the second of their end."""

import botocore.session

session = botocore.session.Session()
credentials = session.get_credentials()
frozen = credentials.get_frozen_credentials()
expiry = getattr(credentials, "_expiry_time", None)
print(frozen.access_key)
print(frozen.secret_key)
print(frozen.token or "-")
print(int(expiry.timestamp()) if expiry else "-")
