"""Load, verify, serve and replace the bundles of a directory."""
