"""Files as people and systems leave them: names of any bytes, folders with foreign things in them."""
