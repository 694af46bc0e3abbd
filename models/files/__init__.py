"""Files of any origin: names of any bytes, folders with other files, types by first bytes."""
