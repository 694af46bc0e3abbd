"""What a run will take, before it is started: parameters, memory, time, disk."""
