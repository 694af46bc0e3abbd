"""Training methods: networks, loss terms and updates. One package per method."""
