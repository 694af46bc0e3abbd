"""The settings of the service, from environment variables named `UGATIT_*`."""
