"""Keep translations, so that clients can request their heat maps."""
