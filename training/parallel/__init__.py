"""Several processes that train one run: on the devices of one machine, or of several machines."""
