"""What chatproxy is measured against: the same job done the plain way."""
