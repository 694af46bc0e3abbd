"""Files on disk that survive a power failure, and directories whose every byte is verified."""
