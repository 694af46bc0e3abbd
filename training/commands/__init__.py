"""The subcommands of `ugatit-train`."""
