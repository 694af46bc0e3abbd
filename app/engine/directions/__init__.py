"""Load bundles, replace them while serving, and track their health."""
