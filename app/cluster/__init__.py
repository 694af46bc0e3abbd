"""Run the models of the service as replicas on Ray Serve, on one machine or many."""
