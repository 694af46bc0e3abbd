"""Keep translations for a while, so that their heat maps can be requested."""
