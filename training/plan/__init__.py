"""Plan a run before it starts: parameters, memory, time, disk."""
