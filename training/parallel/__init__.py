"""Several processes that train one run together: on the devices of one machine, or of many."""
