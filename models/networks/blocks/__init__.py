"""The parts that the networks of several methods share; what differs between the methods is an argument."""
